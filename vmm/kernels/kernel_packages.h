// Which of Debian's packages hold which kernels.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "vmm/kernels/apt_root.h"

namespace ktstr::vmm {

/// A cloud kernel that an index offers.
struct KernelPackages {
  std::string release;                 ///< "7.3.4+deb13-cloud-amd64"
  std::vector<IndexedPackage> images;  ///< packages that may hold its image, the likeliest first
  std::optional<IndexedPackage>
      config;  ///< the package that may hold its configuration, when it is a separate one
};

/// All cloud kernels for amd64 in an index, newest first.
[[nodiscard]] std::vector<KernelPackages> find_kernel_packages(const std::vector<IndexedPackage>& index);

/// Why a kernel of this release is never taken by default, or nullopt.
[[nodiscard]] std::optional<std::string_view> unfit_reason(std::string_view release);

}  // namespace ktstr::vmm
