// The pages behind guest memory: huge ones, the host's NUMA nodes they come from, and having them early.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>

#include "engine/base/cpu_set.h"
#include "engine/base/fd.h"
#include "engine/base/result.h"
#include "vmm/performance.h"

namespace ktstr::vmm {

inline constexpr std::uint64_t kHugePageBytes = 2ULL << 20;

/// A memfd of `bytes` bytes. Of reserved pages: `bytes` is a multiple of kHugePageBytes, and pages are only
/// set aside by mapping it. Errors: kIo; kUnavailable when the kernel has no such pages.
[[nodiscard]] Result<Fd> create_memory_file(std::uint64_t bytes, RamPages pages);

/// Whether memfds get transparent huge pages when they are asked for: `sysfs` ("/sys") says so in
/// kernel/mm/transparent_hugepage/shmem_enabled (Documentation/admin-guide/mm/transhuge.rst). Errors:
/// kUnavailable, with the setting that forbids it.
[[nodiscard]] Status check_transparent_pages(const std::filesystem::path& sysfs);

/// Asks for transparent huge pages in a mapping of a memfd. Errors: kIo.
[[nodiscard]] Status advise_huge_pages(std::span<std::byte> mapping);

/// Pages of the file behind a shared mapping come from these NUMA nodes of the host and from no others, also
/// when another process touches them. Those that are there already stay. Errors: kIo.
[[nodiscard]] Status bind_memory(std::span<std::byte> mapping, const CpuSet& nodes);

/// Gives every page of a mapping that is zeroes its memory. Errors: kIo, when there is not so much.
[[nodiscard]] Status prefault_memory(std::span<std::byte> mapping);

}  // namespace ktstr::vmm
