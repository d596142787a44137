#include <doctest/doctest.h>

#include "tests/vmm/kvm/loading_guest.h"
#include "tests/vmm/tiny_kernel.h"
#include "vmm/kernel_relocation.h"

namespace ktstr::vmm::kvm {
namespace {

using test::LoadingGuest;
using vmm::test::TinyKernel;

constexpr GuestPhys kSlidPlace(TinyKernel::kPlace);

LoadingGuest randomizing_guest() {
  LoadingGuest guest;
  guest.what.kaslr = true;
  return guest;
}

}  // namespace

TEST_CASE("KASLR moves every pointer by one slide, shrinks distances by it, and leaves the kernel's place") {
  auto guest = randomizing_guest();
  const auto entry = guest.load(TinyKernel().bytes());
  REQUIRE(entry.has_value());
  CHECK(entry->entry == kSlidPlace);
  const TinyKernel linked;
  const auto slide = guest.read<std::uint64_t>(kSlidPlace) - linked.pointer64;
  CHECK(slide >= kSlideAlignment);
  CHECK(slide % kSlideAlignment == 0);
  CHECK(slide <= largest_slide(TinyKernel::kPlace + 4 * kMiB));
  CHECK(guest.read<std::uint32_t>(kSlidPlace + 8) == static_cast<std::uint32_t>(linked.pointer32 + slide));
  CHECK(guest.read<std::uint32_t>(kSlidPlace + 12) == static_cast<std::uint32_t>(linked.distance - slide));
}

TEST_CASE("a randomized kernel is told to randomize its memory areas") {
  auto guest = randomizing_guest();
  REQUIRE(guest.load(TinyKernel().bytes()).has_value());
  CHECK((guest.params().hdr.loadflags & KASLR_FLAG) != 0);
}

TEST_CASE("an ELF without relocations can't be randomized, but boots as it is") {
  auto guest = randomizing_guest();
  TinyKernel kernel;
  kernel.relocations.clear();
  const auto refused = guest.refusal(kernel.bytes());
  CHECK(refused.code == ErrorCode::kUnavailable);
  CHECK(refused.message == "this kernel has no relocations to randomize its address with");
  guest.what.kaslr = false;
  CHECK(guest.load(kernel.bytes()).has_value());
}

TEST_CASE("a relocation outside the kernel's bytes is refused, wherever it points") {
  auto guest = randomizing_guest();
  TinyKernel kernel;
  for (const std::int32_t outside :
       {TinyKernel::at(TinyKernel::kTextBytes - 7), TinyKernel::at(TinyKernel::kTextBytes),
        TinyKernel::at(0) - 1, std::int32_t{0x7fffffff}, std::int32_t{-1}}) {
    kernel.relocations[1] = outside;
    const auto refused = guest.refusal(kernel.bytes());
    CHECK(refused.code == ErrorCode::kCorrupt);
    CHECK(refused.message == "kernel ELF: a relocation lies outside the kernel");
  }
}

}  // namespace ktstr::vmm::kvm
