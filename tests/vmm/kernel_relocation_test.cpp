#include "vmm/kernel_relocation.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <set>

#include "tests/vmm/tiny_kernel.h"

namespace ktstr::vmm {
namespace {

using test::TinyKernel;

constexpr std::size_t kPage = 4096;

/// A kernel of one segment of `pages` pages of ones, with a 64-bit pointer at the start of some of them.
struct SparseKernel {
  std::vector<std::byte> file;
  KernelElf elf;

  SparseKernel(std::size_t pages, std::initializer_list<std::size_t> with_pointer) {
    TinyKernel tiny;
    tiny.segment.p_filesz = pages * kPage;
    tiny.relocations = {0};
    for (const auto page : with_pointer) tiny.relocations.push_back(TinyKernel::at(page * kPage));
    tiny.relocations.push_back(0);
    file = tiny.bytes();
    file.insert(file.begin() + TinyKernel::kTextOffset, pages * kPage - TinyKernel::kTextBytes, std::byte{1});
    elf = *KernelElf::read(file);
  }

  [[nodiscard]] std::span<const std::byte> text() const {
    return std::span(file).subspan(TinyKernel::kTextOffset, elf.segments[0].p_filesz);
  }
};

std::vector<std::byte> joined(std::span<const KernelPiece> pieces) {
  std::vector<std::byte> bytes;
  for (const auto& piece : pieces) {
    CHECK(piece.offset == bytes.size());
    bytes.insert(bytes.end(), piece.bytes.begin(), piece.bytes.end());
  }
  return bytes;
}

bool is_view_of(std::span<const std::byte> part, std::span<const std::byte> whole) {
  return part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size();
}

}  // namespace

TEST_CASE("a relocation table is split at its zeros, with or without the inverse list") {
  const std::int32_t without[] = {0, 1, 2, 0, 3};
  const auto two = parse_relocations(without);
  REQUIRE(two.has_value());
  CHECK(std::vector(two->add64.begin(), two->add64.end()) == std::vector<std::int32_t>{1, 2});
  CHECK(two->subtract32.empty());
  CHECK(std::vector(two->add32.begin(), two->add32.end()) == std::vector<std::int32_t>{3});
  const std::int32_t with[] = {0, 1, 0, 0, 3, 4};
  const auto three = parse_relocations(with);
  REQUIRE(three.has_value());
  CHECK(three->subtract32.empty());
  CHECK(three->add32.size() == 2);
}

TEST_CASE("words that are no relocation table are told apart") {
  CHECK_FALSE(parse_relocations({}).has_value());
  for (const auto& words : {std::vector<std::int32_t>{1, 2}, {0, 1, 2}, {0, 1, 0, 2, 0, 3, 0, 4}})
    CHECK_FALSE(parse_relocations(words).has_value());
}

TEST_CASE("the largest slide leaves the kernel inside its 1 GiB of virtual addresses") {
  CHECK(largest_slide(80 * kMiB) == 944 * kMiB);
  CHECK(largest_slide(80 * kMiB + 1) == 942 * kMiB);
  CHECK(largest_slide(1024 * kMiB) == 0);
  CHECK(largest_slide(~0ULL) == 0);
}

TEST_CASE("random slides are whole steps inside the range, and differ") {
  const auto file = TinyKernel().bytes();
  const auto kernel = *KernelElf::read(file);
  const auto largest = largest_slide(kernel.link_end());
  std::set<std::uint64_t> slides;
  for (int i = 0; i < 64; ++i) slides.insert(*random_slide(kernel));
  CHECK(*slides.begin() >= kSlideAlignment);
  CHECK(*slides.rbegin() <= largest);
  for (const auto slide : slides) CHECK(slide % kSlideAlignment == 0);
  CHECK(slides.size() > 8);
}

TEST_CASE("a kernel that fills its range has no room to move") {
  TinyKernel tiny;
  tiny.segment.p_memsz = 1023 * kMiB - TinyKernel::kPlace;
  const auto file = tiny.bytes();
  CHECK(random_slide(*KernelElf::read(file)).error().message ==
        "kernel ELF: no room to randomize its address");
}

TEST_CASE("a slid kernel is its file but for the values that the slide changes") {
  const SparseKernel kernel(300, {0, 3, 200});
  const auto slid = SlidKernel::create(kernel.elf, 2 * kMiB);
  REQUIRE(slid.has_value());
  auto bytes = joined(slid->pieces());
  REQUIRE(bytes.size() == 300 * kPage);
  for (const std::size_t page : {0, 3, 200}) {
    std::uint64_t linked = 0, moved = 0;
    std::memcpy(&linked, kernel.text().data() + page * kPage, sizeof(linked));
    std::memcpy(&moved, bytes.data() + page * kPage, sizeof(moved));
    CHECK(moved - linked == 2 * kMiB);
    std::memcpy(bytes.data() + page * kPage, &linked, sizeof(linked));
  }
  CHECK(std::ranges::equal(bytes, kernel.text()));
}

TEST_CASE("what a slide does not change is not copied, unless it is little between what it does") {
  const SparseKernel kernel(300, {0, 3, 200});
  const auto slid = SlidKernel::create(kernel.elf, 2 * kMiB);
  REQUIRE(slid.has_value());
  const auto pieces = slid->pieces();
  REQUIRE(pieces.size() == 4);
  CHECK(pieces[0].bytes.size() == 4 * kPage);
  CHECK(pieces[1].bytes.size() == 196 * kPage);
  CHECK(pieces[2].bytes.size() == 1 * kPage);
  CHECK(pieces[3].bytes.size() == 99 * kPage);
  for (std::size_t i = 0; i < pieces.size(); ++i)
    CHECK(is_view_of(pieces[i].bytes, kernel.text()) == (i % 2 == 1));
}

TEST_CASE("a value that lies across two pages is changed in both") {
  SparseKernel kernel(2, {});
  const std::int32_t table[] = {0, TinyKernel::at(kPage - 4), 0};
  kernel.file.resize(kernel.elf.end);
  const auto words = std::as_bytes(std::span(table));
  kernel.file.insert(kernel.file.end(), words.begin(), words.end());
  kernel.elf = *KernelElf::read(kernel.file);
  const auto slid = SlidKernel::create(kernel.elf, 256ULL << 30);
  REQUIRE(slid.has_value());
  REQUIRE(slid->pieces().size() == 1);
  std::uint64_t moved = 0;
  std::memcpy(&moved, slid->pieces()[0].bytes.data() + kPage - 4, sizeof(moved));
  CHECK(moved == 0x0101010101010101 + (256ULL << 30));
}

}  // namespace ktstr::vmm
