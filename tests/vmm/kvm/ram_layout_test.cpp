#include "vmm/kvm/ram_layout.h"

#include <doctest/doctest.h>
#include <sys/mman.h>

#include "tests/vmm/mebibyte.h"

namespace ktstr::vmm::kvm {
namespace {

constexpr std::uint64_t kGiB = 1ULL << 30;

/// Address space without memory, cut into banks.
class Banks {
 public:
  explicit Banks(std::vector<std::uint64_t> sizes) {
    for (const auto size : sizes) bytes_ += size;
    base_ = ::mmap(nullptr, bytes_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    REQUIRE(base_ != MAP_FAILED);
    auto* next = static_cast<std::byte*>(base_);
    for (const auto size : sizes) banks.emplace_back(std::exchange(next, next + size), size);
  }
  Banks(const Banks&) = delete;
  Banks& operator=(const Banks&) = delete;
  ~Banks() { ::munmap(base_, bytes_); }

  std::vector<std::span<std::byte>> banks;

 private:
  std::uint64_t bytes_ = 0;
  void* base_ = nullptr;
};

struct Place {
  std::size_t bank;
  std::uint64_t base, bytes, offset;  ///< offset: into the bank
  friend bool operator==(const Place&, const Place&) = default;
};

std::vector<Place> places(std::vector<std::uint64_t> sizes) {
  const Banks made(std::move(sizes));
  std::vector<Place> found;
  for (const auto& [bank, region] : lay_out_ram(made.banks))
    found.push_back({bank, region.base.value(), region.bytes.size(),
                     static_cast<std::uint64_t>(region.bytes.data() - made.banks[bank].data())});
  return found;
}

}  // namespace

TEST_CASE("one bank that fits below the hole begins at 0") {
  CHECK(places({512 * kMiB}) == std::vector<Place>{{0, 0, 512 * kMiB, 0}});
  CHECK(places({3 * kGiB}) == std::vector<Place>{{0, 0, 3 * kGiB, 0}});
}

TEST_CASE("a bank that crosses the hole goes on at 4 GiB with the byte that is next") {
  CHECK(places({3 * kGiB + 2 * kMiB}) ==
        std::vector<Place>{{0, 0, 3 * kGiB, 0}, {0, 4 * kGiB, 2 * kMiB, 3 * kGiB}});
}

TEST_CASE("banks lie end to end") {
  CHECK(places({256 * kMiB, 128 * kMiB}) ==
        std::vector<Place>{{0, 0, 256 * kMiB, 0}, {1, 256 * kMiB, 128 * kMiB, 0}});
}

TEST_CASE("the bank in the middle is the one that crosses the hole") {
  CHECK(places({2 * kGiB, 2 * kGiB, 2 * kGiB}) == std::vector<Place>{{0, 0, 2 * kGiB, 0},
                                                                     {1, 2 * kGiB, kGiB, 0},
                                                                     {1, 4 * kGiB, kGiB, kGiB},
                                                                     {2, 5 * kGiB, 2 * kGiB, 0}});
}

TEST_CASE("a bank that begins at the hole begins at 4 GiB") {
  CHECK(places({3 * kGiB, kGiB}) == std::vector<Place>{{0, 0, 3 * kGiB, 0}, {1, 4 * kGiB, kGiB, 0}});
}

TEST_CASE("no bank, or an empty one, has no place") {
  CHECK(places({0, 2 * kMiB}) == std::vector<Place>{{1, 0, 2 * kMiB, 0}});
  CHECK(lay_out_ram({}).empty());
}

}  // namespace ktstr::vmm::kvm
