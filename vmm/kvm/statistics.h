// KVM's binary statistics: values by name (Documentation/virt/kvm/api.rst, 4.133 KVM_GET_STATS_FD).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>

#include "engine/base/fd.h"
#include "engine/base/result.h"

namespace ktstr::vmm::kvm {

using StatisticValues = std::map<std::string, std::uint64_t, std::less<>>;

/// The single values in the content of a statistics file; histograms are left out. Times are in ns, as KVM
/// counts them. Errors (kCorrupt): something lies outside the content, or one name is there twice.
[[nodiscard]] Result<StatisticValues> parse_statistics(std::span<const std::byte> content);

/// The statistics file of a VM or vCPU, by its descriptor. A vCPU answers only while it does not run: KVM
/// makes this call wait for the end of KVM_RUN. Errors: kUnavailable when this KVM has none; kIo.
[[nodiscard]] Result<Fd> open_statistics(int vm_or_vcpu);

/// What the file says now, whether a vCPU runs or not. Errors: kIo; those of parse_statistics().
[[nodiscard]] Result<StatisticValues> read_statistics(int file);

}  // namespace ktstr::vmm::kvm
