#include "introspect/kernel.h"

#include <doctest/doctest.h>

#include <array>
#include <vector>

#include "introspect/layout.h"
#include "tests/introspect/fake_kernel.h"

using namespace ktstr;
using namespace ktstr::introspect;
using namespace ktstr::introspect::test;

namespace {

std::vector<FakeKernelShape> all_shapes() {
  std::vector<FakeKernelShape> shapes;
  for (const bool five_levels : {false, true})
    for (const bool zero_based : {false, true})
      for (const std::uint64_t slide : {0x0, 0x2000'0000}) {
        FakeKernelShape shape;
        shape.five_levels = five_levels;
        shape.zero_based_per_cpu = zero_based;
        shape.slide = slide;
        shapes.push_back(shape);
      }
  return shapes;
}

Result<Kernel> attach(const FakeKernel& guest, const std::vector<CpuContext>& vcpus) {
  return Kernel::attach(guest.memory(), guest.debug_info(), vcpus);
}

/// What a kernel that was found says of itself.
void check_found(const FakeKernel& guest, const Kernel& kernel) {
  CHECK(kernel.image().slide == guest.shape().slide);
  CHECK(kernel.image().physical(kernel.address("linux_banner").value()) == guest.physical("linux_banner"));
  CHECK(kernel.banner() == "Linux version 7.3.4 (fake) #1 SMP");
  CHECK(kernel.page_offset() == guest.page_offset());
  CHECK(kernel.vmemmap_base() == KernelVirt(0xffff'f44d'4000'0000));
  CHECK(kernel.nr_cpu_ids() == 3);
  CHECK(kernel.possible_cpus() == CpuSet{0, 1, 2});
  CHECK(kernel.online_cpus() == CpuSet{0});
  for (std::uint32_t cpu = 0; cpu < 3; ++cpu)
    CHECK(kernel.read<std::uint32_t>(kernel.per_cpu("cpu_number", cpu).value()) == cpu);
}

}  // namespace

TEST_CASE("a kernel of every shape is found through a vCPU's registers") {
  for (const FakeKernelShape& shape : all_shapes()) {
    CAPTURE(shape.five_levels);
    CAPTURE(shape.zero_based_per_cpu);
    CAPTURE(shape.slide);
    const FakeKernel guest(shape);
    const auto kernel = guest.attach();
    REQUIRE_MESSAGE(kernel.has_value(), kernel.error().message);
    check_found(guest, *kernel);
    CHECK(kernel->image().found_by.starts_with("vCPU 0"));
  }
}

TEST_CASE("a kernel of every shape is found without any register") {
  for (const FakeKernelShape& shape : all_shapes()) {
    CAPTURE(shape.five_levels);
    CAPTURE(shape.zero_based_per_cpu);
    CAPTURE(shape.slide);
    const FakeKernel guest(shape);
    const auto kernel = attach(guest, {});
    REQUIRE_MESSAGE(kernel.has_value(), kernel.error().message);
    check_found(guest, *kernel);
    CHECK(kernel->image().found_by == "a scan of physical memory");
  }
}

TEST_CASE("a vCPU stopped in user mode under PTI leads to the kernel's half of its tables") {
  const FakeKernel guest({.pti = true});
  const auto kernel = attach(guest, {guest.vcpu(true)});
  REQUIRE_MESSAGE(kernel.has_value(), kernel.error().message);
  check_found(guest, *kernel);
  CHECK(kernel->image().found_by.ends_with("without the PTI bit"));
}

TEST_CASE("vCPUs that are not started or run nonsense are passed over") {
  const FakeKernel guest;
  CpuContext wild = guest.vcpu();
  wild.cr3 = 0x7fff'ffff'f000;
  const auto kernel = attach(guest, {CpuContext{}, wild, guest.vcpu()});
  REQUIRE(kernel.has_value());
  CHECK(kernel->image().found_by.starts_with("vCPU 2"));
}

TEST_CASE("LSTAR and an IDT gate outside the image speak against it") {
  FakeKernel guest;
  CpuContext strange = guest.vcpu();
  strange.lstar = 0xffff'ffff'c000'0000;
  CHECK(attach(guest, {strange})->image().found_by == "a scan of physical memory");
  CpuContext gated = guest.vcpu();
  const GuestPhys idt = guest.arena().allocate(4096, 4096);
  gated.idt_base = (guest.page_offset() + idt.value()).value();
  guest.arena().put(idt, std::array<std::uint64_t, 2>{0x1234'8e00'0010'5678, 0xffff'8000});
  CHECK(attach(guest, {gated})->image().found_by == "a scan of physical memory");
  const std::uint64_t handler = 0xffff'ffff'8100'1000 + guest.shape().slide;
  guest.arena().put(
      idt, std::array<std::uint64_t, 2>{(handler & 0xffff) | 0x8e00'0010'0000 | (handler & 0xffff'0000) << 32,
                                        handler >> 32});
  CHECK(attach(guest, {gated})->image().found_by.starts_with("vCPU 0"));
}

TEST_CASE("memory without the kernel says everything that was tried") {
  FakeKernel guest;
  guest.arena().put(guest.physical("linux_banner"), std::uint64_t{0});
  const auto kernel = attach(guest, {CpuContext{}, guest.vcpu()});
  REQUIRE_FALSE(kernel.has_value());
  CHECK(kernel.error().code == ErrorCode::kNotFound);
  const std::string& message = kernel.error().message;
  CHECK(message.find("vCPU 0: not in long mode") != std::string::npos);
  CHECK(message.find("no \"Linux version\" at linux_banner under any slide") != std::string::npos);
  CHECK(message.find("a scan of physical memory: no \"Linux version\"") != std::string::npos);
}

TEST_CASE("a phys_base or page table that contradicts the place is not believed") {
  FakeKernel moved;
  moved.arena().put(moved.physical("phys_base"), std::uint64_t{0x40'0000});
  CHECK(moved.attach().error().message.find("phys_base is 0x400000 where") != std::string::npos);
  FakeKernel unmapped;
  for (std::uint64_t i = 0; i < 512; ++i)
    unmapped.arena().put(unmapped.physical("init_top_pgt") + i * 8, std::uint64_t{0});
  CHECK(unmapped.attach().error().message.find("init_top_pgt: linux_banner is not mapped") !=
        std::string::npos);
}

TEST_CASE("a copy of the banner elsewhere in memory does not mislead the scan") {
  FakeKernel guest({.load_address = 0x40'0000});
  const auto text = guest.arena().get<std::array<char, 32>>(guest.physical("linux_banner"));
  guest.arena().put(guest.physical("linux_banner") - (2U << 20), text);
  const auto kernel = attach(guest, {});
  REQUIRE(kernel.has_value());
  CHECK(kernel->image().physical(kernel->image().begin) == GuestPhys(0x40'0000));
}

TEST_CASE("debug info of another build is refused") {
  FakeKernel guest;
  guest.arena().put(guest.physical("__start_BTF") + 40, std::uint32_t{0xffff'ffff});
  CHECK(guest.attach().error().message ==
        "the guest's own BTF differs from the debug info: not the same kernel build");
}

TEST_CASE("a direct map that is not one, and impossible CPU counts, are refused") {
  FakeKernel no_map;
  no_map.arena().put(no_map.physical("page_offset_base"), std::uint64_t{0xffff'8880'0000'0000});
  CHECK(no_map.attach().error().code == ErrorCode::kCorrupt);
  for (const std::uint32_t count : {0U, 8193U, 0xffff'ffffU}) {
    FakeKernel guest;
    guest.arena().put(guest.physical("nr_cpu_ids"), count);
    CHECK(guest.attach().error().message == "nr_cpu_ids is " + std::to_string(count));
  }
}

TEST_CASE("per-CPU areas that are not set up yet are told from damage") {
  FakeKernel guest;
  for (std::uint64_t cpu = 0; cpu < 3; ++cpu)
    guest.arena().put(guest.physical("__per_cpu_offset") + cpu * 8, std::uint64_t{0});
  CHECK(guest.attach().error().code == ErrorCode::kUnavailable);
}

TEST_CASE("addresses that are not there are errors of their kind") {
  for (const FakeKernelShape& shape : all_shapes()) {
    const FakeKernel guest(shape);
    const Kernel kernel = guest.attach().value();
    CHECK(kernel.address("no_such_symbol").error().code == ErrorCode::kNotFound);
    CHECK(kernel.per_cpu("no_such_symbol", 0).error().code == ErrorCode::kNotFound);
    CHECK(kernel.per_cpu("schedule", 0).error().code == ErrorCode::kInvalidArgument);
    CHECK(kernel.per_cpu("cpu_number", 3).error().code == ErrorCode::kOutOfRange);
    CHECK(kernel.read_symbol<std::uint32_t>("nr_cpu_ids") == 3);
    CHECK(kernel.read_symbol<std::uint32_t>("_end").error().code == ErrorCode::kOutOfRange);
  }
}

TEST_CASE("a runtime address gets its symbol's name, one outside the image none") {
  const FakeKernel guest;
  const Kernel kernel = guest.attach().value();
  const KernelVirt schedule = kernel.address("schedule").value();
  REQUIRE(kernel.symbolize(schedule + 0x1c).has_value());
  CHECK(kernel.symbolize(schedule + 0x1c)->name == "schedule");
  CHECK(kernel.symbolize(schedule + 0x1c)->offset == 0x1c);
  CHECK_FALSE(kernel.symbolize(kernel.image().begin - 1).has_value());
  CHECK_FALSE(kernel.symbolize(kernel.image().end).has_value());
}
