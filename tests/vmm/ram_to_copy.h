// Guest memory and templates of it, for tests of what copies them.
#pragma once

#include <doctest/doctest.h>

#include <initializer_list>
#include <utility>
#include <vector>

#include "tests/vmm/mebibyte.h"
#include "vmm/guest_ram.h"
#include "vmm/ram_copy.h"

namespace ktstr::vmm::test {

inline constexpr std::size_t kPageBytes = 4096;

inline GuestRam make_ram(std::initializer_list<std::uint64_t> banks) {
  auto ram = GuestRam::create(std::vector<std::uint64_t>(banks));
  REQUIRE(ram.has_value());
  return std::move(*ram);
}

inline RamTemplate take(const GuestRam& ram) {
  auto copy = RamTemplate::take(ram);
  REQUIRE(copy.has_value());
  return std::move(*copy);
}

}  // namespace ktstr::vmm::test
