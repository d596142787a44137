// Damaged and adversarial memory: everything may fail, nothing may crash or hang. Worth most under the
// address sanitizer.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <random>
#include <vector>

#include "introspect/kernel.h"
#include "introspect/walk/list.h"
#include "introspect/walk/xarray.h"
#include "tests/introspect/fake_kernel.h"

using namespace ktstr;
using namespace ktstr::introspect;
using namespace ktstr::introspect::test;

namespace {

constexpr std::size_t kPage = 4096;

XarrayLayout xarray_layout() {
  FakeBtf btf;
  const int u8 = btf.integer("unsigned char", 1), u32 = btf.integer("unsigned int", 4),
            u64 = btf.integer("unsigned long", 8);
  const int xarray = btf.structure("xarray", 16, {{"xa_head", u64, 64}});
  btf.structure("xa_node", 40 + 64 * 8, {{"shift", u8, 0}, {"slots", btf.array(u64, 64), 320}});
  btf.structure("idr", 24, {{"idr_rt", xarray, 0}, {"idr_base", u32, 128}});
  XarrayLayout layout;
  REQUIRE(layout.resolve(btf.parsed()));
  return layout;
}

/// A fake kernel with a list of 100 nodes and an IDR of 64 entries in its memory.
struct Victim {
  FakeKernel kernel;
  GuestPhys list = kernel.arena().allocate(101 * 16, kPage);
  GuestPhys idr = kernel.arena().allocate(24, kPage);
  GuestPhys node = kernel.arena().allocate(40 + 64 * 8, kPage);
  XarrayLayout layout = xarray_layout();

  Victim() {
    for (std::uint64_t i = 0; i <= 100; ++i)
      kernel.arena().put(list + i * 16, direct(list + (i + 1) % 101 * 16));
    kernel.arena().put(idr + 8, direct(node) + 2);
    for (std::uint64_t i = 0; i < 64; ++i) kernel.arena().put(node + 40 + i * 8, direct(list + i * 16));
  }
  [[nodiscard]] KernelVirt direct(GuestPhys address) const { return kernel.page_offset() + address.value(); }
  [[nodiscard]] std::vector<std::byte>& ram() { return kernel.arena().ram(); }
};

/// How much of a guest could still be used.
struct Outcome {
  int attached = 0;
  int walked = 0;
};

void use(const Kernel& kernel, const Victim& victim, Outcome& outcome) {
  static_cast<void>(kernel.online_cpus());
  for (const std::size_t cpu : kernel.possible_cpus().to_vector())
    if (const auto number = kernel.per_cpu("cpu_number", cpu))
      static_cast<void>(kernel.read<std::uint32_t>(*number));
  static_cast<void>(kernel.symbolize(kernel.image().begin + 0x1234));
  static_cast<void>(kernel.read_c_string(kernel.image().begin, 1U << 20));
  const Translator& memory = kernel.translator();
  const auto list = walk_list(memory, victim.direct(victim.list), 1000);
  static_cast<void>(walk_hlist(memory, victim.direct(victim.list), 1000));
  const auto idr = walk_idr(memory, victim.layout, victim.direct(victim.idr), 1000);
  outcome.walked += list.complete() && list.items.size() == 100 && idr.complete() && idr.items.size() == 64;
}

void attach_and_use(const PhysicalMemory& memory, const Victim& victim, Outcome& outcome) {
  const CpuContext vcpu = victim.kernel.vcpu();
  for (const std::span<const CpuContext> vcpus : {std::span(&vcpu, 1), std::span<const CpuContext>()}) {
    const auto kernel = Kernel::attach(memory, victim.kernel.debug_info(), vcpus);
    if (!kernel) continue;
    ++outcome.attached;
    use(*kernel, victim, outcome);
  }
}

/// The pages that anything is kept in, so that a random choice among them does harm.
std::vector<std::size_t> used_pages(const std::vector<std::byte>& ram) {
  std::vector<std::size_t> pages;
  for (std::size_t at = 0; at < ram.size(); at += kPage)
    if (std::any_of(&ram[at], &ram[at] + kPage, [](std::byte byte) { return byte != std::byte{0}; }))
      pages.push_back(at);
  return pages;
}

}  // namespace

TEST_CASE("an undamaged guest is attached to and walked") {
  const Victim victim;
  Outcome outcome;
  attach_and_use(victim.kernel.memory(), victim, outcome);
  CHECK(outcome.attached == 2);
  CHECK(outcome.walked == 2);
}

TEST_CASE("400 random corruptions of single pages crash and hang nothing") {
  Victim victim;
  std::mt19937_64 random(7);
  const auto pages = used_pages(victim.ram());
  Outcome outcome;
  for (int round = 0; round < 400; ++round) {
    std::byte* page = &victim.ram()[pages[random() % pages.size()]];
    std::array<std::byte, kPage> saved;
    std::memcpy(saved.data(), page, kPage);
    const std::uint64_t kind = random() % 3;
    for (std::size_t at = 0; at < kPage; at += 8) {
      // Noise; a few changed words; or pointers to everywhere in RAM, which lead further than noise does.
      std::uint64_t word = random();
      if (kind == 1 && random() % 16 != 0) continue;
      if (kind == 2) word = victim.kernel.page_offset().value() + word % victim.ram().size() / 8 * 8;
      std::memcpy(page + at, &word, sizeof(word));
    }
    attach_and_use(victim.kernel.memory(), victim, outcome);
    std::memcpy(page, saved.data(), kPage);
  }
  CHECK(outcome.attached > 0);
  CHECK(outcome.attached < 800);
  CHECK(outcome.walked < outcome.attached);
}

TEST_CASE("truncated memory of any length is refused or read as far as it goes") {
  Victim victim;
  Outcome outcome;
  for (std::size_t length = 0; length <= victim.ram().size(); length += 64 * kPage + 8) {
    const SpanMemory memory({{GuestPhys(0), std::span(victim.ram()).first(length)}});
    attach_and_use(memory, victim, outcome);
  }
  CHECK(outcome.attached > 0);
}

TEST_CASE("random memory holds no kernel") {
  Victim victim;
  const CpuContext vcpu = victim.kernel.vcpu();
  std::mt19937_64 random(3);
  for (std::size_t at = 0; at < victim.ram().size(); at += 8) {
    const std::uint64_t word = random();
    std::memcpy(&victim.ram()[at], &word, sizeof(word));
  }
  CHECK_FALSE(
      Kernel::attach(victim.kernel.memory(), victim.kernel.debug_info(), std::span(&vcpu, 1)).has_value());
}

TEST_CASE("memory full of page table entries that point back into it ends") {
  Victim victim;
  const CpuContext vcpu = victim.kernel.vcpu();
  for (const std::uint64_t entry :
       {std::uint64_t{0x1001}, vcpu.cr3 | 1, (vcpu.cr3 & ~std::uint64_t{0xfff}) | 0x83, ~std::uint64_t{0}}) {
    for (std::size_t at = 0; at < victim.ram().size(); at += 8)
      std::memcpy(&victim.ram()[at], &entry, sizeof(entry));
    CHECK_FALSE(
        Kernel::attach(victim.kernel.memory(), victim.kernel.debug_info(), std::span(&vcpu, 1)).has_value());
  }
}

TEST_CASE("the banner in every page is not enough to be taken for a kernel") {
  Victim victim;
  const auto banner = victim.kernel.arena().get<std::array<char, 32>>(victim.kernel.physical("linux_banner"));
  for (std::size_t at = 0; at < victim.ram().size(); at += kPage)
    std::memcpy(&victim.ram()[at], banner.data(), banner.size());
  const auto kernel = Kernel::attach(victim.kernel.memory(), victim.kernel.debug_info(), {});
  REQUIRE_FALSE(kernel.has_value());
  CHECK(kernel.error().code == ErrorCode::kNotFound);
}
