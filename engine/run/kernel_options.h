// The options that a guest's kernel was built with: for programs in the guest, and for its machine.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/kernels/kernel_store.h"
#include "vmm/initramfs.h"

namespace ktstr::engine {

/// /boot/config-RELEASE, where libbpf looks for what a BPF object declares `__kconfig`
/// (src/libbpf.c, bpf_object__read_kconfig_file()); none when the cache does not know the kernel's options.
[[nodiscard]] std::optional<vmm::InitramfsFile> kernel_options_file(const CachedKernel& kernel);

/// How often the kernel's tick comes; nullopt when the cache does not know the kernel's options. Errors: kIo.
[[nodiscard]] Result<std::optional<std::uint32_t>> tick_rate_of(const CachedKernel& kernel);

/// What to do about a loader that did not find them, judged by what it wrote; nullopt when that was not it.
[[nodiscard]] std::optional<std::string> missing_options_advice(const std::vector<std::string>& loader_log);

}  // namespace ktstr::engine
