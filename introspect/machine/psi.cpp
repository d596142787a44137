#include "introspect/machine/psi.h"

#include <string>

namespace ktstr::introspect {
namespace {

constexpr std::size_t kAverages = 3;  // over 10, 60 and 300 s
constexpr std::uint64_t kNsPerUs = 1000;

/// struct static_key (include/linux/jump_label.h): static_branch_*() in C asks whether `enabled` is positive.
struct StaticKeyLayout : LayoutOf<"static_key"> {
  Field<std::int32_t> enabled{*this, {"enabled.counter"}};
};

/// Whether the kernel was booted without PSI. A kernel without the key can't be.
bool is_disabled(const Kernel& kernel) {
  StaticKeyLayout key;
  const auto place = kernel.address("psi_disabled");
  return place && key.resolve(kernel.btf()) && key.enabled.read(kernel, *place).value_or(0) > 0;
}

/// Percent times 100 of an average in the load average's fixed point (FSHIFT, include/linux/sched/loadavg.h),
/// rounded as psi_show() does.
std::uint64_t centipercent(std::uint64_t average) {
  constexpr unsigned kFractionBits = 11;
  constexpr std::uint64_t kFraction = (1U << kFractionBits) - 1;
  return (average >> kFractionBits) * 100 + ((average & kFraction) * 100 >> kFractionBits);
}

}  // namespace

Result<PsiReader> PsiReader::create(const Kernel& kernel) {
  PsiReader reader;
  KTSTR_TRY(reader.group_.resolve(kernel.btf()));
  reader.system_ = KTSTR_TRY(kernel.address("psi_system"));
  KTSTR_TRY(reader.find_states(kernel.btf()));
  reader.cgroups_ = KTSTR_TRY(CgroupTree::create(kernel));
  if (is_disabled(kernel))
    return Error{ErrorCode::kUnavailable, "pressure stall information is off (boot argument psi)"};
  return reader;
}

Status PsiReader::find_states(const Btf& btf) {
  const auto line = [&](std::string_view name) {
    const auto value = btf.enumerator(name);
    return value && *value >= 0 ? std::optional(static_cast<std::size_t>(*value)) : std::nullopt;
  };
  // Of the state behind the last one that is pressure, PSI_NONIDLE, there is no average.
  states_ = line("PSI_NONIDLE").value_or(0);
  cpu_ = {line("PSI_CPU_SOME"), line("PSI_CPU_FULL")};
  memory_ = {line("PSI_MEM_SOME"), line("PSI_MEM_FULL")};
  io_ = {line("PSI_IO_SOME"), line("PSI_IO_FULL")};
  irq_ = {std::nullopt, line("PSI_IRQ_FULL")};
  const auto aggregator = line("PSI_AVGS");
  if (states_ == 0 || !aggregator || !cpu_.some || !memory_.some || !memory_.full || !io_.some || !io_.full)
    return Error{ErrorCode::kNotFound, "no enum psi_states or psi_aggregators in the kernel's BTF"};
  first_total_ = *aggregator * states_;
  for (const Resource& resource : {cpu_, memory_, io_, irq_})
    if (resource.some.value_or(0) >= states_ || resource.full.value_or(0) >= states_)
      return Error{ErrorCode::kCorrupt, "enum psi_states: a resource behind PSI_NONIDLE"};
  if (group_.total.size() / 8 < first_total_ + states_ || group_.avg.size() / 8 < states_ * kAverages)
    return Error{ErrorCode::kCorrupt, "struct psi_group: fewer totals or averages than enum psi_states"};
  return ok();
}

Result<PsiStat> PsiReader::read_system(const Kernel& kernel) const {
  auto stat = read_group(kernel, system_);
  if (!stat) return Error{ErrorCode::kOutOfRange, "psi_system can't be read"};
  // Meaningless system-wide; the kernel prints zeros (psi_show()).
  stat->cpu.full.reset();
  return *std::move(stat);
}

Readings<CgroupPsiStat> PsiReader::read_cgroups(const Kernel& kernel) const {
  Readings<CgroupPsiStat> readings;
  const auto tree = cgroups_.walk(kernel);
  if (!tree.complete()) readings.problems.push_back("cgroups: " + std::string(tree.reason));
  for (const CgroupNode& node : std::span(tree.items).subspan(1)) {
    const auto group = cgroups_.layout().psi.read(kernel, node.address);
    if (group && group->is_null()) continue;
    auto stat =
        group && kernel.plausible_pointer(*group) ? read_group(kernel, *group) : std::optional<PsiStat>();
    if (stat)
      readings.rows.push_back({node.path, *std::move(stat)});
    else
      readings.problems.push_back(node.path + ": its psi_group can't be read");
  }
  return readings;
}

std::optional<PsiStat> PsiReader::read_group(const Kernel& kernel, KernelVirt group) const {
  StructBytes bytes;
  if (!bytes.capture(kernel, group_, group)) return std::nullopt;
  PsiStat stat;
  group_.fill(bytes, stat);
  stat.cpu = resource(bytes, cpu_);
  stat.memory = resource(bytes, memory_);
  stat.io = resource(bytes, io_);
  if (irq_.full) stat.irq = resource(bytes, irq_);
  return stat;
}

PsiResource PsiReader::resource(const StructBytes& bytes, const Resource& states) const {
  return {half(bytes, states.some), half(bytes, states.full)};
}

std::optional<PsiHalf> PsiReader::half(const StructBytes& bytes, std::optional<std::size_t> state) const {
  if (!state) return std::nullopt;
  const auto totals = bytes.at(group_.total.offset(), group_.total.size());
  const auto averages = bytes.at(group_.avg.offset(), group_.avg.size());
  const std::size_t first = *state * kAverages;
  return PsiHalf{.avg10 = centipercent(element<std::uint64_t>(averages, first)),
                 .avg60 = centipercent(element<std::uint64_t>(averages, first + 1)),
                 .avg300 = centipercent(element<std::uint64_t>(averages, first + 2)),
                 .total_usec = element<std::uint64_t>(totals, first_total_ + *state) / kNsPerUs};
}

}  // namespace ktstr::introspect
