#include <doctest/doctest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>

#include "tests/temporary_directory.h"
#include "tests/vmm/mebibyte.h"
#include "vmm/kvm/machine_ram.h"
#include "vmm/ram_copy.h"

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

constexpr std::size_t kPage = 4096;
constexpr std::size_t kFilePages = 200;

/// Two banks that lie end to end, and a file of numbered pages.
struct Filling {
  ktstr::test::TemporaryDirectory directory;
  GuestRam ram = *GuestRam::create(std::vector<std::uint64_t>{4 * kMiB, 4 * kMiB});
  std::vector<RamPart> parts = lay_out_ram(std::vector{ram.bytes(0), ram.bytes(1)});
  MappedFile file = *MappedFile::open(directory.write("file", numbered_pages()));
  RamFiller filler{ram, parts};

  Filling() { filler.add_source(file); }

  static std::string numbered_pages() {
    std::string pages;
    for (std::size_t i = 0; i < kFilePages; ++i) pages.append(kPage, static_cast<char>(i + 1));
    return pages;
  }
  [[nodiscard]] std::size_t mapped_bytes() const {
    std::size_t bytes = 0;
    for (const auto& range : ram.file_ranges()) bytes += range.bytes.size();
    return bytes;
  }
};

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

TEST_CASE("whole pages of a source are mapped, and the parts of pages at its ends are written") {
  Filling filling;
  const auto part = filling.file.bytes().subspan(100, kFilePages * kPage - 300);
  REQUIRE(filling.filler.put(GuestPhys(kPage + 100), part).has_value());
  CHECK(std::ranges::equal(filling.ram.bytes(0).subspan(kPage + 100, part.size()), part));
  CHECK(filling.mapped_bytes() == (kFilePages - 2) * kPage);
  CHECK(filling.ram.bytes(0)[kPage + 99] == std::byte{0});
  CHECK(filling.ram.bytes(0)[kPage + 100 + part.size()] == std::byte{0});
}

TEST_CASE("what does not fall together with the guest's pages, is small, or is of no source is written") {
  Filling filling;
  const auto all = filling.file.bytes();
  REQUIRE(filling.filler.put(GuestPhys(8), all).has_value());
  REQUIRE(filling.filler.put(GuestPhys(2 * kMiB), all.first(8 * kPage)).has_value());
  const std::vector<std::byte> others(100 * kPage, std::byte{0xaa});
  REQUIRE(filling.filler.put(GuestPhys(3 * kMiB), others).has_value());
  CHECK(filling.mapped_bytes() == 0);
  CHECK(std::ranges::equal(filling.ram.bytes(0).subspan(8, all.size()), all));
  CHECK(std::ranges::equal(filling.ram.bytes(0).subspan(2 * kMiB, 8 * kPage), all.first(8 * kPage)));
  CHECK(std::ranges::equal(filling.ram.bytes(0).subspan(3 * kMiB, others.size()), others));
}

TEST_CASE("bytes go on in the next bank") {
  Filling filling;
  const auto all = filling.file.bytes();
  REQUIRE(filling.filler.put(GuestPhys(4 * kMiB - 100 * kPage), all).has_value());
  CHECK(std::ranges::equal(filling.ram.bytes(0).last(100 * kPage), all.first(100 * kPage)));
  CHECK(std::ranges::equal(filling.ram.bytes(1).first(100 * kPage), all.subspan(100 * kPage)));
  CHECK(filling.ram.file_ranges().size() == 2);
}

TEST_CASE("bytes behind the last bank are refused") {
  Filling filling;
  const auto refused = filling.filler.put(GuestPhys(8 * kMiB - kPage), filling.file.bytes());
  CHECK(refused.error().code == ErrorCode::kOutOfRange);
}

TEST_CASE("a template has a mapped file's pages as the guest has changed them, and the file stays as it is") {
  Filling filling;
  REQUIRE(filling.filler.put(GuestPhys(1 * kMiB), filling.file.bytes()).has_value());
  filling.ram.bytes(0)[1 * kMiB + 5 * kPage] = std::byte{0xff};
  CHECK(filling.file.bytes()[5 * kPage] == std::byte{6});
  const auto taken = RamTemplate::take(filling.ram);
  REQUIRE(taken.has_value());
  const auto copy = GuestRam::copy_on_write(*taken);
  REQUIRE(copy.has_value());
  CHECK(std::ranges::equal(copy->bytes(0), filling.ram.bytes(0)));
  CHECK(std::ranges::equal(copy->bytes(1), filling.ram.bytes(1)));
}

}  // namespace ktstr::vmm::kvm
