#include "introspect/machine/cpu_time.h"

#include <string>

namespace ktstr::introspect {
namespace {

/// Longer than any kernel's array: NR_STATS is 11 at most, NR_SOFTIRQS 10.
constexpr std::size_t kMaxArrayBytes = 1024;

Error unreadable(std::string_view symbol, std::size_t cpu) {
  return {ErrorCode::kOutOfRange,
          "cpu" + std::to_string(cpu) + ": " + std::string(symbol) + " can't be read"};
}

/// The enumerator as an index of an array of `count`.
Result<std::size_t> index_of(const Btf& btf, const std::string& enumerator, std::size_t count) {
  const auto value = btf.enumerator(enumerator);
  if (!value) return Error{ErrorCode::kNotFound, "no enumerator " + enumerator + " in the kernel's BTF"};
  if (*value >= 0 && static_cast<std::size_t>(*value) < count) return static_cast<std::size_t>(*value);
  return Error{ErrorCode::kCorrupt, enumerator + " is " + std::to_string(*value) + ", outside its array"};
}

}  // namespace

Result<CpuTimeReader> CpuTimeReader::create(const Kernel& kernel) {
  CpuTimeReader reader;
  KTSTR_TRY(resolve_all(kernel.btf(), {&reader.cpustat_, &reader.kstat_}));
  KTSTR_TRY(kernel.address("kernel_cpustat"));
  KTSTR_TRY(kernel.address("kstat"));
  KTSTR_TRY(reader.find_cpustat(kernel.btf()));
  KTSTR_TRY(reader.find_softirqs(kernel.btf()));
  // Where it has no times, what it says of an idle period is about nothing that we read.
  auto tick_sched = resolve_layout<TickSchedLayout>(kernel.btf());
  if (tick_sched && tick_sched->place<&PerCpuTimeStats::idle_sleeptime_ns>().present() &&
      tick_sched->place<&PerCpuTimeStats::iowait_sleeptime_ns>().present() &&
      kernel.address("tick_cpu_sched"))
    reader.tick_sched_ = *std::move(tick_sched);
  return reader;
}

Status CpuTimeReader::find_cpustat(const Btf& btf) {
  using T = PerCpuTimeStats;
  constexpr std::pair<const char*, CpuTimeMember> kSlots[] = {
      {"CPUTIME_USER", &T::cpustat_user_ns},     {"CPUTIME_NICE", &T::cpustat_nice_ns},
      {"CPUTIME_SYSTEM", &T::cpustat_system_ns}, {"CPUTIME_SOFTIRQ", &T::cpustat_softirq_ns},
      {"CPUTIME_IRQ", &T::cpustat_irq_ns},       {"CPUTIME_IDLE", &T::cpustat_idle_ns},
      {"CPUTIME_IOWAIT", &T::cpustat_iowait_ns}, {"CPUTIME_STEAL", &T::cpustat_steal_ns},
      {"CPUTIME_GUEST", &T::cpustat_guest_ns},   {"CPUTIME_GUEST_NICE", &T::cpustat_guest_nice_ns},
  };
  static_assert(std::size(kSlots) == std::tuple_size_v<decltype(slots_)>);
  if (cpustat_.cpustat.size() > kMaxArrayBytes)
    return Error{ErrorCode::kCorrupt, "struct kernel_cpustat: cpustat is too large"};
  const std::size_t count = cpustat_.cpustat.size() / sizeof(std::uint64_t);
  for (std::size_t i = 0; i < slots_.size(); ++i)
    slots_[i] = {kSlots[i].second, KTSTR_TRY(index_of(btf, kSlots[i].first, count))};
  return ok();
}

Status CpuTimeReader::find_softirqs(const Btf& btf) {
  if (kstat_.softirqs.size() > kMaxArrayBytes)
    return Error{ErrorCode::kCorrupt, "struct kernel_stat: softirqs is too large"};
  const std::size_t count = kstat_.softirqs.size() / sizeof(std::uint32_t);
  for (std::size_t i = 0; i < kSoftirqNames.size(); ++i)
    softirq_indices_[i] = KTSTR_TRY(index_of(btf, std::string(kSoftirqNames[i]) + "_SOFTIRQ", count));
  return ok();
}

Readings<PerCpuTimeStats> CpuTimeReader::read(const Kernel& kernel) const {
  Readings<PerCpuTimeStats> readings;
  for (const std::size_t cpu : kernel.possible_cpus().to_vector()) readings.add(read_cpu(kernel, cpu));
  return readings;
}

Result<PerCpuTimeStats> CpuTimeReader::read_cpu(const Kernel& kernel, std::size_t cpu) const {
  PerCpuTimeStats stats;
  stats.cpu = static_cast<std::uint32_t>(cpu);
  KTSTR_TRY(read_cpustat(kernel, stats));
  KTSTR_TRY(read_interrupts(kernel, stats));
  if (tick_sched_) read_tick_sched(kernel, stats);
  return stats;
}

Status CpuTimeReader::read_cpustat(const Kernel& kernel, PerCpuTimeStats& stats) const {
  const KernelVirt place = KTSTR_TRY(kernel.per_cpu("kernel_cpustat", stats.cpu));
  StructBytes bytes;
  if (!bytes.capture(kernel, cpustat_, place)) return unreadable("kernel_cpustat", stats.cpu);
  const auto times = bytes.at(cpustat_.cpustat.offset(), cpustat_.cpustat.size());
  for (const auto& [member, index] : slots_) stats.*member = element<std::uint64_t>(times, index);
  if (cpustat_.idle_elapse.read(bytes).value_or(0) != 0)
    stats.idle_since_ns = cpustat_.idle_entrytime.read(bytes);
  return ok();
}

Status CpuTimeReader::read_interrupts(const Kernel& kernel, PerCpuTimeStats& stats) const {
  const KernelVirt place = KTSTR_TRY(kernel.per_cpu("kstat", stats.cpu));
  StructBytes bytes;
  if (!bytes.capture(kernel, kstat_, place)) return unreadable("kstat", stats.cpu);
  kstat_.fill(bytes, stats);
  const auto counts = bytes.at(kstat_.softirqs.offset(), kstat_.softirqs.size());
  for (std::size_t i = 0; i < softirq_indices_.size(); ++i)
    stats.softirqs[i] = element<std::uint32_t>(counts, softirq_indices_[i]);
  return ok();
}

void CpuTimeReader::read_tick_sched(const Kernel& kernel, PerCpuTimeStats& stats) const {
  const auto place = kernel.per_cpu("tick_cpu_sched", stats.cpu);
  StructBytes bytes;
  if (!place || !bytes.capture(kernel, *tick_sched_, *place)) return;
  tick_sched_->fill(bytes, stats);
  if ((tick_sched_->flags.of(bytes) & TickSchedLayout::kIdleActive) != 0)
    stats.idle_since_ns = tick_sched_->idle_entrytime.of(bytes);
}

}  // namespace ktstr::introspect
