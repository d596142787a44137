// KVM's modules of a cached kernel, for a guest that is to run KVM.
#pragma once

#include <filesystem>
#include <vector>

#include "engine/base/result.h"
#include "engine/kernels/kernel_store.h"

namespace ktstr::vmm {

/// The module files (.ko, not compressed) in the order in which they are to be loaded. Fetched from Debian's
/// archive the first time, and kept beside the kernels. Errors: those of AptRoot (kUnavailable without
/// network); kNotFound when the archive has this kernel's modules no more.
[[nodiscard]] Result<std::vector<std::filesystem::path>> kvm_modules(const engine::CachedKernel& kernel);

}  // namespace ktstr::vmm
