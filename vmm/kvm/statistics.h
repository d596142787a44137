// KVM's binary statistics: values by name (Documentation/virt/kvm/api.rst, 4.133 KVM_GET_STATS_FD).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>

#include "engine/base/result.h"

namespace ktstr::vmm::kvm {

using StatisticValues = std::map<std::string, std::uint64_t, std::less<>>;

/// The single values in the content of a statistics file; histograms are left out. Times are in ns, as KVM
/// counts them. Errors (kCorrupt): something lies outside the content, or one name is there twice.
[[nodiscard]] Result<StatisticValues> parse_statistics(std::span<const std::byte> content);

/// Those of a VM or vCPU, by its descriptor, now. Errors: kUnavailable when this KVM has none; kIo; those of
/// parse_statistics().
[[nodiscard]] Result<StatisticValues> read_statistics(int vm_or_vcpu);

}  // namespace ktstr::vmm::kvm
