#include "vmm/kvm/statistics_reader.h"

#include <fmt/format.h>
#include <sys/resource.h>

#include "vmm/kvm/statistics.h"

namespace ktstr::vmm::kvm {
namespace {

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
