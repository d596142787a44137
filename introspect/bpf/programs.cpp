#include "introspect/bpf/programs.h"

#include <fmt/format.h>

#include <limits>

#include "introspect/bpf/object_names.h"

namespace ktstr::introspect {
namespace {

/// Reads programs with one pair of buffers and one table of type names.
class ProgHeaders {
 public:
  ProgHeaders(const Kernel& kernel, const BpfProgLayout& layout)
      : kernel_(kernel), layout_(layout), types_(kernel.btf(), "bpf_prog_type", "BPF_PROG_TYPE_") {}

  Result<BpfProgInfo> read(KernelVirt address) {
    KTSTR_TRY(capture(prog_, layout_.prog, address, "struct bpf_prog"));
    BpfProgInfo program;
    program.address = address;
    program.aux = layout_.prog.aux.of(prog_);
    program.stats = layout_.prog.stats.of(prog_);
    program.jited_len = layout_.prog.jited_len.read(prog_);
    program.type = layout_.prog.type.of(prog_);
    const auto type_name = types_.find(program.type);
    if (program.type == 0 || (!types_.empty() && !type_name))
      return corrupted("program type " + std::to_string(program.type) + " does not exist");
    program.type_name = types_.name(program.type);
    KTSTR_TRY(capture(aux_, layout_.aux, program.aux, "struct bpf_prog_aux"));
    if (layout_.aux.prog.of(aux_) != address)
      return corrupted("its struct bpf_prog_aux is another program's");
    auto name = bpf_object_name(layout_.aux.name.of(aux_));
    if (!name) return corrupted("a name that no program can have");
    program.name = *std::move(name);
    fill_aux(program);
    return program;
  }

 private:
  Status capture(StructBytes& bytes, const StructLayout& layout, KernelVirt address, std::string_view what) {
    if (!kernel_.plausible_pointer(address)) return corrupted(std::string(what) + " at no kernel address");
    if (bytes.capture(kernel_, layout, address)) return ok();
    return Error{ErrorCode::kOutOfRange, std::string(what) + " in memory that can't be read"};
  }

  void fill_aux(BpfProgInfo& program) const {
    program.id = layout_.aux.id.of(aux_);
    program.verified_insns = layout_.aux.verified_insns.read(aux_);
    program.attach_btf_id = layout_.aux.attach_btf_id.read(aux_);
    const auto btf = layout_.aux.btf.read(aux_);
    if (btf && !btf->is_null()) program.btf_kva = btf;
  }

  const Kernel& kernel_;
  const BpfProgLayout& layout_;
  EnumNames types_;
  StructBytes prog_;
  StructBytes aux_;
};

void add(std::uint64_t& sum, std::uint64_t value) {
  if (__builtin_add_overflow(sum, value, &sum)) sum = std::numeric_limits<std::uint64_t>::max();
}

}  // namespace

Result<ProgWalk> list_bpf_programs(const Kernel& kernel, const BpfLayouts& layouts) {
  const BpfProgLayout layout = KTSTR_TRY(layouts.prog);
  return walk_bpf_objects<BpfProgInfo>(kernel, layouts, "prog_idr", ProgHeaders(kernel, layout));
}

ProgRuntimeStats read_runtime_stats(const Kernel& kernel, const BpfLayouts& layouts,
                                    const BpfProgInfo& program) {
  ProgRuntimeStats stats{program.name, {}, {}, {}};
  if (!layouts.prog_stats || program.stats.is_null()) return stats;
  const BpfProgStatsLayout& layout = *layouts.prog_stats;
  std::uint64_t cnt = 0, nsecs = 0, misses = 0;
  StructBytes bytes;
  for (std::size_t cpu = 0; cpu < kernel.nr_cpu_ids(); ++cpu) {
    if (!kernel.possible_cpus().contains(cpu)) continue;
    const auto place = kernel.per_cpu(program.stats, cpu);
    if (!place || !bytes.capture(kernel, layout, *place)) return stats;
    add(cnt, layout.cnt.of(bytes));
    add(nsecs, layout.nsecs.of(bytes));
    add(misses, layout.misses.of(bytes));
  }
  stats.misses = misses;
  // Where the switch can't be read, a count above 0 shows that something was counted.
  if (run_time_stats_enabled(kernel).value_or(cnt > 0)) stats.cnt = cnt, stats.nsecs = nsecs;
  return stats;
}

std::vector<ProgRuntimeStats> struct_ops_runtime_stats(const Kernel& kernel, const BpfLayouts& layouts,
                                                       const std::vector<BpfProgInfo>& programs) {
  std::vector<ProgRuntimeStats> stats;
  for (const BpfProgInfo& program : programs)
    if (program.type == kStructOpsProgType) stats.push_back(read_runtime_stats(kernel, layouts, program));
  return stats;
}

std::vector<ProgVerifierStats> struct_ops_verifier_stats(const std::vector<BpfProgInfo>& programs) {
  std::vector<ProgVerifierStats> stats;
  for (const BpfProgInfo& program : programs)
    if (program.type == kStructOpsProgType) stats.push_back({program.name, program.verified_insns});
  return stats;
}

std::optional<bool> run_time_stats_enabled(const Kernel& kernel) {
  // struct static_key begins with its count of enablers (include/linux/jump_label.h).
  const auto enablers = kernel.read_symbol<std::int32_t>("bpf_stats_enabled_key");
  return enablers ? std::optional(*enablers > 0) : std::nullopt;
}

std::optional<double> ProgRuntimeStats::ns_per_call() const {
  if (!cnt || !nsecs || *cnt == 0) return std::nullopt;
  return static_cast<double>(*nsecs) / static_cast<double>(*cnt);
}

std::optional<double> ProgRuntimeStats::miss_rate() const {
  if (!cnt || !misses) return std::nullopt;
  const double calls = static_cast<double>(*cnt) + static_cast<double>(*misses);
  if (calls == 0) return std::nullopt;
  return static_cast<double>(*misses) / calls;
}

std::string ProgRuntimeStats::to_text() const {
  if (!misses) return name + ": unreadable";
  if (!cnt || !nsecs)
    return fmt::format("{}: misses={} (calls are not counted: kernel.bpf_stats_enabled is 0)", name, *misses);
  std::string text = fmt::format("{}: cnt={} nsecs={} misses={}", name, *cnt, *nsecs, *misses);
  if (const auto cost = ns_per_call()) text += fmt::format(" ns/call={:.3f}", *cost);
  if (*misses > 0) text += fmt::format(" miss_rate={:.4f}", miss_rate().value_or(0));
  return text;
}

}  // namespace ktstr::introspect
