#include "vmm/kvm/statistics_reader.h"

#include <fmt/format.h>
#include <linux/perf_event.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <fstream>
#include <string>

#include "vmm/kvm/statistics.h"

namespace ktstr::vmm::kvm {
namespace {

struct Choice {
  std::uint64_t event;
  std::optional<std::uint64_t> CounterReading::*count;
};
constexpr Choice kChoices[] = {{PERF_COUNT_HW_CPU_CYCLES, &CounterReading::cycles},
                               {PERF_COUNT_HW_INSTRUCTIONS, &CounterReading::instructions},
                               {PERF_COUNT_HW_CACHE_MISSES, &CounterReading::cache_misses},
                               {PERF_COUNT_HW_BRANCH_MISSES, &CounterReading::branch_misses}};
static_assert(std::size(kChoices) == VcpuCounters::kDescriptors);

Fd open_event(std::uint64_t event, int thread, int group) {
  perf_event_attr attributes{};
  attributes.size = sizeof(attributes);
  attributes.type = PERF_TYPE_HARDWARE;
  attributes.config = event;
  attributes.read_format =
      PERF_FORMAT_GROUP | PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING;
  attributes.exclude_host = 1;
  attributes.exclude_hv = 1;
  return Fd(
      static_cast<int>(::syscall(SYS_perf_event_open, &attributes, thread, -1, group, PERF_FLAG_FD_CLOEXEC)));
}

/// Why the leader could not be opened.
Error cannot_count(int error_number) {
  const auto why = [](std::string text) { return Error{ErrorCode::kUnavailable, std::move(text)}; };
  switch (error_number) {
    case ENOENT:
    case ENODEV:
    case EOPNOTSUPP:
      return why("this host has no hardware counters for guests");
    case ENOSYS:
      return why("this kernel has no performance events");
    case EACCES:
    case EPERM: {
      // The guest's kernel is counted, for which the limit is 1
      // (Documentation/admin-guide/sysctl/kernel.rst).
      std::string level = "not readable";
      std::ifstream("/proc/sys/kernel/perf_event_paranoid") >> level;
      return why("counting a guest takes CAP_PERFMON or a kernel.perf_event_paranoid of 1 at most; it is " +
                 level);
    }
    default:
      return system_error("perf_event_open", error_number);
  }
}

/// The rest of the process needs descriptors too.
Status check_descriptors(std::size_t vcpus) {
  const auto needed = vcpus * VcpuCounters::kDescriptors;
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return system_error("getrlimit");
  if (needed <= limit.rlim_cur / 2) return ok();
  return Error{ErrorCode::kUnavailable,
               fmt::format("counters of {} vCPUs take {} file descriptors, more than half of the {} that the "
                           "process may have (ulimit -n)",
                           vcpus, needed, limit.rlim_cur)};
}

}  // namespace

Result<VcpuCounters> VcpuCounters::open(int thread) {
  VcpuCounters counters;
  for (const auto& [event, count] : kChoices) {
    const int leader = counters.events_.empty() ? -1 : counters.events_.front().fd.get();
    Fd fd = open_event(event, thread, leader);
    if (!fd && (leader < 0 || errno == EMFILE || errno == ENFILE)) return cannot_count(errno);
    if (fd) counters.events_.push_back({std::move(fd), count});
  }
  return counters;
}

Result<CounterReading> VcpuCounters::read() const {
  // perf_event_open(2), PERF_FORMAT_GROUP: how many, enabled, running, the counts.
  std::array<std::uint64_t, 3 + kDescriptors> words{};
  const auto bytes = ::read(events_.front().fd.get(), words.data(), sizeof(words));
  if (bytes < 0) return system_error("read performance counters");
  if (words[0] != events_.size() ||
      static_cast<std::size_t>(bytes) != (3 + events_.size()) * sizeof(std::uint64_t))
    return corrupted("performance counters: not as many as were opened");
  CounterReading reading;
  reading.enabled_ns = words[1];
  reading.running_ns = words[2];
  for (std::size_t i = 0; i < events_.size(); ++i) reading.*events_[i].count = words[3 + i];
  return reading;
}

void StatisticsReader::open(int vm, std::span<const std::unique_ptr<Vcpu>> vcpus) {
  kvm_opened_ = open_kvm(vm, vcpus);
}

Status StatisticsReader::open_kvm(int vm, std::span<const std::unique_ptr<Vcpu>> vcpus) {
  vm_file_ = KTSTR_TRY(open_statistics(vm));
  for (const auto& vcpu : vcpus) vcpu_files_.push_back(KTSTR_TRY(open_statistics(vcpu->fd())));
  return ok();
}

MachineStatistics StatisticsReader::read(std::span<const std::unique_ptr<Vcpu>> vcpus) {
  MachineStatistics statistics;
  statistics.vcpus.resize(vcpus.size());
  if (!counters_opened_) counters_opened_ = open_counters(vcpus);
  const auto counted = *counters_opened_ ? read_counters(statistics) : *counters_opened_;
  if (!counted) statistics.counters_problem = counted.error().message;
  const auto asked = kvm_opened_ ? read_kvm(statistics) : kvm_opened_;
  if (!asked) statistics.kvm_problem = asked.error().message;
  return statistics;
}

Status StatisticsReader::read_kvm(MachineStatistics& statistics) const {
  statistics.vm = pick_statistics<KvmVmStatistics>(KTSTR_TRY(read_statistics(vm_file_.get())));
  for (std::size_t i = 0; i < vcpu_files_.size(); ++i)
    statistics.vcpus[i].kvm =
        pick_statistics<KvmVcpuStatistics>(KTSTR_TRY(read_statistics(vcpu_files_[i].get())));
  return ok();
}

Status StatisticsReader::open_counters(std::span<const std::unique_ptr<Vcpu>> vcpus) {
  KTSTR_TRY(check_descriptors(vcpus.size()));
  std::vector<VcpuCounters> counters;
  for (const auto& vcpu : vcpus) counters.push_back(KTSTR_TRY(VcpuCounters::open(vcpu->thread_id())));
  counters_ = std::move(counters);
  return ok();
}

Status StatisticsReader::read_counters(MachineStatistics& statistics) const {
  for (std::size_t i = 0; i < counters_.size(); ++i)
    statistics.vcpus[i].counters = KTSTR_TRY(counters_[i].read());
  return ok();
}

}  // namespace ktstr::vmm::kvm
