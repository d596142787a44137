#include "introspect/translator.h"

#include <doctest/doctest.h>

#include <array>
#include <string_view>
#include <thread>
#include <vector>

#include "tests/introspect/fake_memory.h"

using namespace ktstr;
using namespace ktstr::introspect;
using namespace ktstr::introspect::test;

namespace {

constexpr KernelVirt kFirstPage(0xffff'c900'0000'0000);

/// Two neighbouring virtual pages whose physical pages lie apart and in the other order.
struct TwoPages {
  FakeMemory arena{1U << 20};
  GuestPhys second = arena.allocate(4096, 4096);
  GuestPhys gap = arena.allocate(4096, 4096);
  GuestPhys first = arena.allocate(4096, 4096);

  TwoPages() {
    arena.map(kFirstPage, first);
    arena.map(kFirstPage + 4096, second);
  }
};

}  // namespace

TEST_CASE("a value that crosses pages is put together from both") {
  TwoPages pages;
  pages.arena.put(pages.first + 4092, std::uint32_t{0x44332211});
  pages.arena.put(pages.second, std::uint32_t{0x88776655});
  CHECK(pages.arena.translator().read<std::uint64_t>(kFirstPage + 4092) == 0x8877665544332211);
}

TEST_CASE("a read that ends in an unmapped page gives nothing") {
  TwoPages pages;
  const Translator translator = pages.arena.translator();
  CHECK_FALSE(translator.read<std::uint64_t>(kFirstPage + 8188).has_value());
  CHECK_FALSE(translator.read<std::uint64_t>(KernelVirt(0)).has_value());
  CHECK_FALSE(translator.read<std::uint64_t>(KernelVirt(~std::uint64_t{0})).has_value());
  CHECK(translator.read<std::uint64_t>(kFirstPage + 8184) == 0);
}

TEST_CASE("a mapped page outside RAM gives nothing") {
  FakeMemory arena(1U << 20);
  arena.map(kFirstPage, GuestPhys(0xfeb0'0000));
  CHECK_FALSE(arena.translator().read<std::uint8_t>(kFirstPage).has_value());
}

TEST_CASE("a string ends at its NUL, at the cap, or is unreadable") {
  TwoPages pages;
  constexpr std::string_view kText = "swapper/0 and more";
  std::memcpy(&pages.arena.ram()[pages.first.value()], kText.data(), kText.size());
  const Translator translator = pages.arena.translator();
  CHECK(translator.read_c_string(kFirstPage, 64) == kText);
  CHECK(translator.read_c_string(kFirstPage, 9) == "swapper/0");
  CHECK(translator.read_c_string(kFirstPage + kText.size(), 16) == "");
  CHECK_FALSE(translator.read_c_string(kFirstPage + 8192, 16).has_value());
}

TEST_CASE("a string that ends at the last byte of mapped memory is read, one that runs on is not") {
  TwoPages pages;
  std::fill_n(pages.arena.ram().begin() + static_cast<std::ptrdiff_t>(pages.second.value()), 4095,
              std::byte{'a'});
  const Translator translator = pages.arena.translator();
  CHECK(translator.read_c_string(kFirstPage + 4096, 1U << 20)->size() == 4095);
  pages.arena.put(pages.second + 4095, 'a');
  CHECK_FALSE(translator.read_c_string(kFirstPage + 4096, 1U << 20).has_value());
}

TEST_CASE("a page outside the stable ranges that is mapped anew is read from its new place") {
  TwoPages pages;
  pages.arena.put(pages.first, std::uint64_t{1});
  pages.arena.put(pages.gap, std::uint64_t{2});
  const Translator translator = pages.arena.translator();
  CHECK(translator.read<std::uint64_t>(kFirstPage) == 1);
  pages.arena.map(kFirstPage, pages.gap);
  CHECK(translator.read<std::uint64_t>(kFirstPage) == 2);
}

TEST_CASE("a translation in a stable range is remembered") {
  TwoPages pages;
  pages.arena.put(pages.first, std::uint64_t{1});
  pages.arena.put(pages.gap, std::uint64_t{2});
  const Translator translator(pages.arena.memory(), pages.arena.table(), {{kFirstPage, kFirstPage + 8192}});
  CHECK(translator.read<std::uint64_t>(kFirstPage) == 1);
  pages.arena.map(kFirstPage, pages.gap);
  CHECK(translator.read<std::uint64_t>(kFirstPage) == 1);
  CHECK(pages.arena.translator().read<std::uint64_t>(kFirstPage) == 2);
}

TEST_CASE("pages that share a cache slot do not answer for each other") {
  FakeMemory arena(4U << 20);
  constexpr std::uint64_t kSlotDistance = 1024 * 4096;
  std::vector<KernelVirt> addresses;
  for (std::uint64_t i = 0; i < 8; ++i) {
    addresses.push_back(kFirstPage + i * kSlotDistance);
    const GuestPhys page = arena.allocate(4096, 4096);
    arena.map(addresses.back(), page);
    arena.put(page, i);
  }
  const Translator translator(arena.memory(), arena.table(), {{kFirstPage, kFirstPage + 8 * kSlotDistance}});
  for (int round = 0; round < 3; ++round)
    for (std::uint64_t i = 0; i < 8; ++i) CHECK(translator.read<std::uint64_t>(addresses[i]) == i);
}

TEST_CASE("large pages are remembered piece by piece with their offsets") {
  FakeMemory arena(8U << 20);
  arena.map(KernelVirt(0xffff'8880'0000'0000), GuestPhys(0), 1U << 30);
  const KernelVirt base(0xffff'8880'0000'0000);
  const Translator translator(arena.memory(), arena.table(), {{base, base + (1U << 30)}});
  arena.put(GuestPhys(0x21'2345), std::uint64_t{42});
  CHECK(translator.read<std::uint64_t>(base + 0x21'2345) == 42);
  CHECK(translator.read<std::uint64_t>(base + 0x21'2345) == 42);
  CHECK(translator.translate(base + 0x30'0000)->address == GuestPhys(0x30'0000));
}

TEST_CASE("threads that evict each other's translations never read a wrong page") {
  FakeMemory arena(4U << 20);
  constexpr std::uint64_t kSlotDistance = 1024 * 4096, kPages = 4;
  for (std::uint64_t i = 0; i < kPages; ++i) {
    const GuestPhys page = arena.allocate(4096, 4096);
    arena.map(kFirstPage + i * kSlotDistance, page);
    arena.put(page, i);
  }
  const Translator translator(arena.memory(), arena.table(),
                              {{kFirstPage, kFirstPage + kPages * kSlotDistance}});
  std::array<std::uint64_t, 2> wrong{};
  {
    std::vector<std::jthread> threads;
    for (std::uint64_t& count : wrong)
      threads.emplace_back([&translator, &count] {
        for (std::uint64_t i = 0; i < 100'000; ++i)
          count += translator.read<std::uint64_t>(kFirstPage + i % kPages * kSlotDistance) != i % kPages;
      });
  }
  CHECK(wrong == std::array<std::uint64_t, 2>{});
}

TEST_CASE("pointers are plausible in the kernel half, canonical and aligned") {
  FakeMemory four(1U << 20), five(1U << 20, kFiveLevelPaging);
  CHECK(four.translator().plausible_pointer(KernelVirt(0xffff'8880'0000'1000)));
  CHECK_FALSE(four.translator().plausible_pointer(KernelVirt(0xff33'8880'0000'1000)));
  CHECK(five.translator().plausible_pointer(KernelVirt(0xff33'8880'0000'1000)));
  CHECK_FALSE(four.translator().plausible_pointer(KernelVirt(0xffff'8880'0000'1004)));
  CHECK(four.translator().plausible_pointer(KernelVirt(0xffff'8880'0000'1004), 4));
  CHECK_FALSE(four.translator().plausible_pointer(KernelVirt(0)));
  CHECK_FALSE(four.translator().plausible_pointer(KernelVirt(0x7fff'0000'0000)));
  CHECK_FALSE(four.translator().plausible_pointer(KernelVirt(0xdead'0000'0000'0100)));
}
