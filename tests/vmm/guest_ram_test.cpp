#include <doctest/doctest.h>
#include <linux/mempolicy.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "engine/base/units.h"
#include "tests/skip.h"
#include "tests/temporary_directory.h"
#include "tests/vmm/mebibyte.h"
#include "vmm/guest_ram.h"
#include "vmm/ram_copy.h"

namespace ktstr::vmm {
namespace {

std::size_t resident_pages(std::span<std::byte> mapping) {
  std::vector<unsigned char> pages(mapping.size() / static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)));
  REQUIRE(::mincore(mapping.data(), mapping.size(), pages.data()) == 0);
  return static_cast<std::size_t>(
      std::count_if(pages.begin(), pages.end(), [](unsigned char page) { return (page & 1) != 0; }));
}

Status check_setting(const std::string& text) {
  const ktstr::test::TemporaryDirectory sysfs;
  sysfs.write("kernel/mm/transparent_hugepage/shmem_enabled", text);
  auto status = check_transparent_pages(sysfs.path());
  if (status) return status;
  return Error{status.error().code, status.error().message.substr(status.error().message.rfind(' '))};
}

}  // namespace

TEST_CASE("memory is there before it is touched when it is prefaulted, and only then") {
  const std::uint64_t size = 4 * kMiB;
  const auto lazy = GuestRam::create(std::span(&size, 1));
  const auto early = GuestRam::create(std::span(&size, 1), {.prefault = true});
  REQUIRE(lazy.has_value());
  REQUIRE(early.has_value());
  CHECK(resident_pages(lazy->bytes(0)) == 0);
  CHECK(resident_pages(early->bytes(0)) == size / static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)));
  CHECK(early->bytes(0)[size - 1] == std::byte{0});
}

TEST_CASE("memory is bound to nodes, for whoever touches it") {
  const std::uint64_t size = 2 * kMiB;
  const auto ram = GuestRam::create(std::span(&size, 1), {.host_nodes = {CpuSet{0}}});
  if (!ram && ram.error().message.ends_with("Function not implemented")) SKIP_TEST("no NUMA in this kernel");
  REQUIRE_MESSAGE(ram.has_value(), ram.error().message);
  int mode = -1;
  unsigned long nodes[16] = {};
  void* const other = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, ram->fd(0), 0);
  REQUIRE(other != MAP_FAILED);
  REQUIRE(::syscall(SYS_get_mempolicy, &mode, nodes, sizeof(nodes) * 8, other, MPOL_F_ADDR) == 0);
  ::munmap(other, size);
  CHECK(mode == MPOL_BIND);
  CHECK(nodes[0] == 1);
}

TEST_CASE("a node that is not there is an error that names it") {
  const std::uint64_t size = 2 * kMiB;
  const auto ram = GuestRam::create(std::span(&size, 1), {.host_nodes = {CpuSet{1023}}});
  REQUIRE_FALSE(ram.has_value());
  CHECK(ram.error().message.find("bind 2M of guest memory to NUMA node 1023: ") == 0);
}

TEST_CASE("whether there are transparent huge pages is what the kernel's setting says") {
  CHECK(check_setting("always within_size [advise] never deny force\n").has_value());
  CHECK(check_setting("[always] within_size advise never deny force\n").has_value());
  CHECK(check_setting("always within_size advise [never] deny force\n").error().message == " never)");
  CHECK(check_setting("always within_size advise never [deny] force\n").error().message == " deny)");
  CHECK(check_setting("").error().message == " memory");
  CHECK(check_transparent_pages("/nonexistent").error().code == ErrorCode::kUnavailable);
}

TEST_CASE("huge pages are had, or refused with what is missing") {
  const std::uint64_t sizes[] = {2 * kMiB, 4 * kMiB};
  const auto ram = GuestRam::create(sizes, {.huge_pages = true});
  if (ram) {
    CHECK(ram->pages() != RamPages::kOrdinary);
    ram->bytes(1)[4 * kMiB - 1] = std::byte{1};
    CHECK(ram->bytes(1)[0] == std::byte{0});
  } else {
    CHECK(ram.error().message.find("huge pages: 3 of 2M are needed and not that many are reserved and free "
                                   "(sysctl vm.nr_hugepages), and ") == 0);
  }
}

TEST_CASE("a template of reserved pages has what is in them, and holes for the rest") {
  const std::uint64_t size = 4 * kMiB;
  auto ram = GuestRam::create(std::span(&size, 1), {.huge_pages = true});
  if (!ram || ram->pages() != RamPages::kReserved) SKIP_TEST("no reserved huge pages here");
  ram->bytes(0)[3 * kMiB] = std::byte{9};
  const auto taken = RamTemplate::take(*ram);
  REQUIRE_MESSAGE(taken.has_value(), taken.error().message);
  std::byte seen{};
  REQUIRE(::pread(taken->fd(0), &seen, 1, 3 * kMiB) == 1);
  CHECK(seen == std::byte{9});
  CHECK(*taken->stored_bytes() < kMiB);
}

TEST_CASE("each bank has its size, begins as zeros and is the memory of its descriptor") {
  const std::uint64_t sizes[] = {2 * kMiB, 4 * kMiB};
  const auto ram = GuestRam::create(sizes);
  REQUIRE(ram.has_value());
  REQUIRE(ram->bank_count() == 2);
  CHECK(ram->bytes(0).size() == 2 * kMiB);
  CHECK(ram->bytes(1).size() == 4 * kMiB);
  CHECK(ram->bytes(1)[4 * kMiB - 1] == std::byte{0});
  ram->bytes(1)[4 * kMiB - 1] = std::byte{7};
  std::byte seen{};
  REQUIRE(::pread(ram->fd(1), &seen, 1, 4 * kMiB - 1) == 1);
  CHECK(seen == std::byte{7});
}

TEST_CASE("a moved RAM keeps its mapping, and what it was moved from has none") {
  const std::uint64_t size = 2 * kMiB;
  auto first = GuestRam::create(std::span(&size, 1));
  REQUIRE(first.has_value());
  first->bytes(0)[0] = std::byte{1};
  const GuestRam second(std::move(*first));
  CHECK(first->bank_count() == 0);
  CHECK(second.bytes(0)[0] == std::byte{1});
}

TEST_CASE("memory that is not to be had is told with its size") {
  const std::uint64_t size = 1ULL << 60;
  const auto refused = GuestRam::create(std::span(&size, 1));
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().message.find(format_byte_size(ByteSize{size}) + " of guest memory") !=
        std::string::npos);
}

}  // namespace ktstr::vmm
