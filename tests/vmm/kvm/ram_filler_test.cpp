#include "vmm/kvm/ram_filler.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <algorithm>

#include "tests/temporary_directory.h"
#include "tests/vmm/mebibyte.h"
#include "vmm/ram_copy.h"

namespace ktstr::vmm::kvm {
namespace {

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
