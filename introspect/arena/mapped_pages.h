// Finding the few pages that are mapped in a large, sparse range.
#pragma once

#include <cstdint>
#include <functional>

#include "introspect/paging.h"

namespace ktstr::introspect {

/// Calls visit(address, page) for each mapped 4 KB page of [begin, begin + length), in order, until it gives
/// false. Page tables are read whole, and absent ones cost one read for all that they would map: 4 GB of
/// which every table exists are 2048 reads of 4 KB. Pages of 2 MB and 1 GB are skipped. Precondition: begin
/// is a multiple of 4096.
void for_each_mapped_page(const PhysicalMemory& memory, const PageTable& table, KernelVirt begin,
                          std::uint64_t length, const std::function<bool(KernelVirt, GuestPhys)>& visit);

}  // namespace ktstr::introspect
