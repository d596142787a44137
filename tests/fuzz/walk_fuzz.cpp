// The walkers of lists, hash chains and xarrays over memory that is made of the input.
#include <algorithm>
#include <cstdlib>

#include "introspect/walk/list.h"
#include "introspect/walk/xarray.h"
#include "tests/fuzz/fuzz_input.h"
#include "tests/introspect/fake_btf.h"
#include "tests/introspect/fake_memory.h"

using namespace ktstr;
using namespace ktstr::introspect;

namespace {

constexpr KernelVirt kArena(0xffff'8880'0000'0000);
constexpr std::size_t kPages = 4;
constexpr std::size_t kArenaBytes = kPages * 4096;
constexpr std::size_t kCap = 256;

/// Four mapped pages of kernel memory, with unmapped memory on both sides.
struct Guest {
  Guest() : memory(1U << 20), pages(memory.allocate(kArenaBytes, 4096)) {
    for (std::size_t page = 0; page < kArenaBytes; page += 4096) memory.map(kArena + page, pages + page);
  }
  test::FakeMemory memory;
  GuestPhys pages;
};

XarrayLayout xarray_layout() {
  test::FakeBtf btf;
  const int u64 = btf.integer("unsigned long", 8), u32 = btf.integer("unsigned int", 4),
            u8 = btf.integer("u8", 1);
  const int xarray = btf.structure("xarray", 16, {{"xa_head", u64, 64}});
  btf.structure("xa_node", 144, {{"shift", u8, 0}, {"slots", btf.array(u64, 16), 128}});
  btf.structure("idr", 24, {{"idr_rt", xarray, 0}, {"idr_base", u32, 128}});
  XarrayLayout layout;
  if (!layout.resolve(btf.parsed())) std::abort();
  return layout;
}

/// Words of the input become words of the arena. A word that is small stands for an address in the arena, so
/// that structures arise often; others are written as they are.
void fill(std::span<std::byte> arena, fuzz::FuzzInput& input) {
  for (std::size_t at = 0; at + 8 <= arena.size() && !input.empty(); at += 8) {
    const auto choice = input.take<std::uint16_t>();
    std::uint64_t word = kArena.value() + choice % kArenaBytes;
    if (choice >= 0xff00) word = input.take<std::uint64_t>();
    std::memcpy(arena.data() + at, &word, sizeof(word));
  }
}

template <class Item>
void check_bounded(const Walked<Item>& walked) {
  if (walked.items.size() > kCap || (walked.complete() != walked.reason.empty())) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static Guest guest;
  static const XarrayLayout layout = xarray_layout();
  const auto arena = std::span(guest.memory.ram()).subspan(guest.pages.value(), kArenaBytes);
  std::ranges::fill(arena, std::byte{0});
  fuzz::FuzzInput input(data, size);
  const KernelVirt head = kArena + (input.take<std::uint16_t>() % kArenaBytes & ~std::uint64_t{7});
  fill(arena, input);
  const Translator translator = guest.memory.translator();
  check_bounded(walk_list(translator, head, kCap));
  check_bounded(walk_hlist(translator, head, kCap));
  check_bounded(walk_xarray(translator, layout, head, kCap));
  check_bounded(walk_idr(translator, layout, head, kCap));
  return 0;
}
