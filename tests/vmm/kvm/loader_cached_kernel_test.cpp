// The kernel that scenarios run on, as distributions ship it.
#include <doctest/doctest.h>

#include "engine/base/mapped_file.h"
#include "engine/kernels/kernel_store.h"
#include "tests/skip.h"
#include "tests/vmm/kvm/loading_guest.h"
#include "vmm/kernel_elf.h"

namespace ktstr::vmm::kvm {
namespace {

using test::LoadingGuest;

constexpr GuestPhys kLinked(16 * kMiB);  // CONFIG_PHYSICAL_START, on every x86-64 kernel

std::optional<engine::CachedKernel> cached_kernel() {
  const auto store = engine::KernelStore::open();
  if (!store) return std::nullopt;
  auto kernel = store->resolve(std::nullopt);
  if (!kernel) return std::nullopt;
  return std::move(*kernel);
}

}  // namespace

TEST_CASE("the cached kernel's ELF is entered inside its own memory, with KASLR and without") {
  const auto kernel = cached_kernel();
  if (!kernel) SKIP_TEST("no kernel is cached");
  const auto file = MappedFile::open(kernel->elf);
  REQUIRE(file.has_value());
  const auto elf = KernelElf::read(file->bytes());
  REQUIRE(elf.has_value());
  for (const bool kaslr : {false, true}) {
    LoadingGuest guest({512 * kMiB});
    guest.what.kaslr = kaslr;
    const auto entry = guest.load(file->bytes());
    REQUIRE_MESSAGE(entry.has_value(), entry.error().message);
    CHECK(entry->entry >= kLinked);
    CHECK(entry->entry.value() < elf->link_end());
    CHECK(guest.read<std::uint64_t>(entry->entry) != 0);
  }
}

TEST_CASE("the cached kernel's bzImage prefers the address that it is linked for") {
  const auto kernel = cached_kernel();
  if (!kernel || kernel->bzimage.empty()) SKIP_TEST("no bzImage is cached");
  const auto file = MappedFile::open(kernel->bzimage);
  REQUIRE(file.has_value());
  LoadingGuest guest({512 * kMiB});
  const auto entry = guest.load(file->bytes());
  REQUIRE_MESSAGE(entry.has_value(), entry.error().message);
  CHECK(entry->entry == kLinked + 0x200);
  const auto header = guest.params().hdr;
  CHECK(header.init_size > file->bytes().size());
  CHECK(guest.read<std::uint8_t>(entry->entry) != 0);
}

}  // namespace ktstr::vmm::kvm
