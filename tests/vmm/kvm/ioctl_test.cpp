#include <doctest/doctest.h>
#include <fcntl.h>

#include <array>

#include "engine/base/fd.h"
#include "vmm/kvm/ioctl.h"

namespace ktstr::vmm::kvm {
namespace {

/// From the header's first byte, which is what KVM is given.
template <class Entry, std::size_t header_bytes>
std::span<const std::byte> bytes_of(const KvmTable<Entry, header_bytes>& table) {
  const auto entries = std::as_bytes(table.entries());
  return {entries.data() - header_bytes, entries.size() + header_bytes};
}

template <class T>
T value_at(std::span<const std::byte> bytes, std::size_t offset) {
  T value;
  REQUIRE(offset + sizeof(value) <= bytes.size());
  std::memcpy(&value, bytes.data() + offset, sizeof(value));
  return value;
}

}  // namespace

// struct kvm_msrs { __u32 nmsrs; __u32 pad; struct kvm_msr_entry entries[]; } with
// struct kvm_msr_entry { __u32 index; __u32 reserved; __u64 data; }, as C lays them out.
TEST_CASE("a table has its count at 0 and its entries at 8") {
  const std::array msrs{kvm_msr_entry{0x1a0, 0, 1}, kvm_msr_entry{0x2ff, 0, 0x806}};
  const MsrTable table(msrs);
  const auto bytes = bytes_of(table);
  CHECK(bytes.size() == 40);
  CHECK(value_at<std::uint32_t>(bytes, 0) == 2);
  CHECK(value_at<std::uint32_t>(bytes, 4) == 0);
  CHECK(value_at<std::uint32_t>(bytes, 8) == 0x1a0);
  CHECK(value_at<std::uint64_t>(bytes, 16) == 1);
  CHECK(value_at<std::uint32_t>(bytes, 24) == 0x2ff);
  CHECK(value_at<std::uint64_t>(bytes, 32) == 0x806);
}

// struct kvm_msr_list { __u32 nmsrs; __u32 indices[]; }
TEST_CASE("the list of MSRs has its count at 0 and its entries at 4") {
  const std::array<std::uint32_t, 2> indices{0x174, 0x10};
  const MsrList list(indices);
  const auto bytes = bytes_of(list);
  CHECK(bytes.size() == 12);
  CHECK(value_at<std::uint32_t>(bytes, 0) == 2);
  CHECK(value_at<std::uint32_t>(bytes, 4) == 0x174);
  CHECK(value_at<std::uint32_t>(bytes, 8) == 0x10);
}

// As a C program prints them.
TEST_CASE("requests have the kernel's numbers") {
  CHECK(table_request(KVM_GET_MSRS) == 0xc008ae88);
  CHECK(table_request(KVM_GET_MSR_INDEX_LIST, MsrList::kHeaderBytes) == 0xc004ae02);
  CHECK(table_request(KVM_GET_XSAVE, 4096) == 0x9000aea4);
  CHECK(table_request(KVM_SET_XSAVE, 4096) == 0x5000aea5);
  CHECK(KVM_GET_SREGS == 0x8138ae83);
  CHECK(KVM_GET_FPU == 0x81a0ae8c);
  CHECK(KVM_GET_LAPIC == 0x8400ae8e);
  CHECK(KVM_GET_XCRS == 0x8188aea6);
  CHECK(KVM_GET_DEBUGREGS == 0x8080aea1);
  CHECK(KVM_GET_VCPU_EVENTS == 0x8040ae9f);
  CHECK(KVM_GET_IRQCHIP == 0xc208ae62);
  CHECK(KVM_GET_CLOCK == 0x8030ae7c);
}

TEST_CASE("entries have the kernel's sizes") {
  CHECK(sizeof(kvm_cpuid_entry2) == 40);
  CHECK(sizeof(kvm_msr_entry) == 16);
  CHECK(sizeof(kvm_irq_routing_entry) == 48);
}

TEST_CASE("a table made for an answer says how many it can take, all zero") {
  const CpuidTable table(3);
  const auto bytes = bytes_of(table);
  CHECK(bytes.size() == 8 + 3 * 40);
  CHECK(value_at<std::uint32_t>(bytes, 0) == 3);
  for (const auto byte : bytes.subspan(4)) CHECK(byte == std::byte{0});
}

TEST_CASE("an empty table is a header") {
  const RoutingTable table(std::span<const kvm_irq_routing_entry>{});
  CHECK(table.entries().empty());
  CHECK(bytes_of(table).size() == 8);
}

TEST_CASE("a request that is refused is named") {
  const Fd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  MsrTable table(1);
  const auto refused = table.request(null.get(), KVM_GET_MSRS, "KVM_GET_MSRS");
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().message.find("KVM_GET_MSRS") != std::string::npos);
}

}  // namespace ktstr::vmm::kvm
