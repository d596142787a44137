// Attaching to real kernels, compared with what the guest says of itself.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "engine/agent/agent_client.h"
#include "engine/base/io.h"
#include "engine/kernels/kernel_store.h"
#include "engine/observe/machine_memory.h"
#include "engine/run/agent_initramfs.h"
#include "introspect/kernel.h"
#include "introspect/layout.h"
#include "introspect/memory_image.h"
#include "introspect/walk/list.h"
#include "introspect/walk/xarray.h"
#include "tests/introspect/damaged_memory.h"
#include "tests/introspect/scratch_file.h"
#include "tests/skip.h"
#include "vmm/qemu/qemu_machine.h"

namespace ktstr::introspect::test {
namespace {

using engine::CachedKernel;

constexpr Duration kBootDeadline = std::chrono::seconds(120);
constexpr Duration kFreezeDeadline = std::chrono::seconds(10);
constexpr vmm::Topology kTopology{.nodes = 1, .llcs = 2, .cores_per_llc = 2, .threads_per_core = 1};

struct TaskLayout : LayoutOf<"task_struct"> {
  Field<std::array<char, 16>> comm{*this, {"comm"}};
  Field<std::uint32_t> pid{*this, {"pid"}};
  Embedded tasks{*this, {"tasks"}};
};

struct RqLayout : LayoutOf<"rq"> {
  Field<std::int32_t> cpu{*this, {"cpu"}};
  Field<KernelVirt> idle{*this, {"idle"}};
};

/// The cached kernel that `prefix` means (nothing: the default one), or none.
std::optional<CachedKernel> cached_kernel(const std::optional<std::string>& prefix = std::nullopt) {
  const auto store = engine::KernelStore::open();
  if (!store) return std::nullopt;
  auto kernel = store->resolve(prefix);
  if (!kernel) return std::nullopt;
  return *std::move(kernel);
}

/// A guest with its agent answering, frozen.
struct FrozenGuest {
  std::shared_ptr<const KernelDebugInfo> info;
  std::unique_ptr<vmm::Machine> machine;
  std::string version;   ///< the guest's /proc/version
  std::string possible;  ///< the guest's /sys/devices/system/cpu/possible
  std::string online;
  SpanMemory memory;
  std::vector<CpuContext> vcpus;
};

Result<std::string> read_line(engine::AgentClient& agent, std::string_view path) {
  auto text = KTSTR_TRY(agent.ask(engine::protocol::ReadFile{std::string(path)})).content;
  while (text.ends_with('\n')) text.pop_back();
  return text;
}

Result<FrozenGuest> boot_and_freeze(const CachedKernel& kernel, bool kaslr,
                                    std::vector<std::string> arguments = {}) {
  FrozenGuest guest;
  guest.info = KTSTR_TRY(KernelDebugInfo::load(kernel.symbols, kernel.btf));
  const auto initramfs = KTSTR_TRY(engine::make_agent_initramfs());
  const ScratchFile console;
  guest.machine = KTSTR_TRY(vmm::start_qemu({.kernel_elf = kernel.elf,
                                             .kernel_bzimage = kernel.bzimage,
                                             .initramfs = path_of(initramfs.get()),
                                             .topology = kTopology,
                                             .memory = {512U << 20},
                                             .kaslr = kaslr,
                                             .kernel_args = std::move(arguments),
                                             .console_log = console.path()}));
  engine::AgentClient agent(guest.machine->channel_fd());
  KTSTR_TRY(agent.wait_hello(kBootDeadline));
  guest.version = KTSTR_TRY(read_line(agent, "/proc/version"));
  guest.possible = KTSTR_TRY(read_line(agent, "/sys/devices/system/cpu/possible"));
  guest.online = KTSTR_TRY(read_line(agent, "/sys/devices/system/cpu/online"));
  guest.vcpus = engine::cpu_contexts(KTSTR_TRY(guest.machine->freeze(kFreezeDeadline)));
  guest.memory = engine::machine_memory(*guest.machine);
  return guest;
}

void check_cpus(const FrozenGuest& guest, const Kernel& kernel) {
  RqLayout rq;
  REQUIRE(rq.resolve(kernel.btf()));
  CHECK(kernel.nr_cpu_ids() == kTopology.cpus());
  CHECK(kernel.possible_cpus().to_string() == guest.possible);
  CHECK(kernel.online_cpus().value().to_string() == guest.online);
  TaskLayout task;
  REQUIRE(task.resolve(kernel.btf()));
  for (std::size_t cpu = 0; cpu < kTopology.cpus(); ++cpu) {
    const KernelVirt runqueue = kernel.per_cpu("runqueues", cpu).value();
    CHECK(rq.cpu.read(kernel, runqueue) == static_cast<std::int32_t>(cpu));
    const auto comm = task.comm.read(kernel, rq.idle.read(kernel, runqueue).value());
    CHECK(std::string(comm.value().data()) == "swapper/" + std::to_string(cpu));
  }
}

void check_direct_map(const Kernel& kernel) {
  const KernelVirt init_task = kernel.address("init_task").value();
  std::array<std::byte, 4096> through_image, through_direct_map;
  REQUIRE(kernel.read_bytes(init_task, through_image));
  REQUIRE(kernel.read_bytes(kernel.direct_map(kernel.image().physical(init_task)), through_direct_map));
  CHECK(through_image == through_direct_map);
}

void check_attached(const FrozenGuest& guest, const Kernel& kernel) {
  CHECK(kernel.banner() == guest.version);
  CHECK(kernel.image().slide % (2U << 20) == 0);
  TaskLayout task;
  REQUIRE(task.resolve(kernel.btf()));
  const KernelVirt init_task = kernel.address("init_task").value();
  CHECK(std::string(task.comm.read(kernel, init_task).value().data()) == "swapper/0");
  const auto tasks = walk_list(kernel.translator(), task.tasks.address(init_task));
  CHECK(tasks.complete());
  REQUIRE_FALSE(tasks.items.empty());
  CHECK(task.pid.read(kernel, tasks.items[0] - task.tasks.offset()) == 1);
  check_cpus(guest, kernel);
  check_direct_map(kernel);
}

/// Attaches with and without registers and compares both with the guest's own words.
void check_both_ways(const FrozenGuest& guest) {
  const auto with_registers = Kernel::attach(guest.memory, guest.info, guest.vcpus);
  REQUIRE_MESSAGE(with_registers.has_value(), with_registers.error().message);
  CHECK(with_registers->image().found_by.starts_with("vCPU"));
  check_attached(guest, *with_registers);
  const auto without = Kernel::attach(guest.memory, guest.info, {});
  REQUIRE_MESSAGE(without.has_value(), without.error().message);
  CHECK(without->image().slide == with_registers->image().slide);
  CHECK(without->image().phys_base == with_registers->image().phys_base);
  CHECK(without->image().page_table.mode == with_registers->image().page_table.mode);
  check_attached(guest, *without);
}

/// Reads what a monitor would; true when all of it could be had.
bool look_around(const PhysicalMemory& memory, const FrozenGuest& guest, std::span<const CpuContext> vcpus) {
  const auto kernel = Kernel::attach(memory, guest.info, vcpus);
  if (!kernel) return false;
  TaskLayout task;
  RqLayout rq;
  XarrayLayout xarray;
  REQUIRE(resolve_all(kernel->btf(), {&task, &rq}));
  REQUIRE(xarray.resolve(kernel->btf()));
  StructBytes bytes;
  bool whole = true;
  for (const std::size_t cpu : kernel->possible_cpus().to_vector())
    whole = bytes.capture(*kernel, rq, kernel->per_cpu("runqueues", cpu).value()) && whole;
  const auto tasks =
      walk_list(kernel->translator(), task.tasks.address(kernel->address("init_task").value()));
  for (const KernelVirt node : tasks.items)
    whole = task.comm.read(*kernel, node - task.tasks.offset()).has_value() && whole;
  const auto idr = walk_idr(kernel->translator(), xarray, kernel->address("cgroup_hierarchy_idr").value());
  return whole && tasks.complete() && idr.complete();
}

}  // namespace

TEST_CASE("the default kernel is found with KASLR on") {
  const auto kernel = cached_kernel();
  if (!kernel) SKIP_TEST("no kernel in the cache");
  const auto guest = boot_and_freeze(*kernel, true);
  REQUIRE_MESSAGE(guest.has_value(), guest.error().message);
  check_both_ways(*guest);
}

TEST_CASE("the default kernel is found where it was linked with KASLR off") {
  const auto kernel = cached_kernel();
  if (!kernel) SKIP_TEST("no kernel in the cache");
  const auto guest = boot_and_freeze(*kernel, false);
  REQUIRE_MESSAGE(guest.has_value(), guest.error().message);
  check_both_ways(*guest);
  const Kernel attached = Kernel::attach(guest->memory, guest->info, guest->vcpus).value();
  CHECK(attached.image().slide == 0);
  const bool five_levels = attached.image().page_table.mode == &kFiveLevelPaging;
  CHECK(attached.page_offset() == KernelVirt(five_levels ? 0xff11'0000'0000'0000 : 0xffff'8880'0000'0000));
}

TEST_CASE("the default kernel is found under page table isolation") {
  const auto kernel = cached_kernel();
  if (!kernel) SKIP_TEST("no kernel in the cache");
  const auto guest = boot_and_freeze(*kernel, true, {"pti=on"});
  REQUIRE_MESSAGE(guest.has_value(), guest.error().message);
  check_both_ways(*guest);
}

TEST_CASE("an older kernel is found with KASLR on") {
  const auto kernel = cached_kernel("6.18");
  if (!kernel) SKIP_TEST("no 6.18 kernel in the cache");
  const auto guest = boot_and_freeze(*kernel, true);
  REQUIRE_MESSAGE(guest.has_value(), guest.error().message);
  check_both_ways(*guest);
}

TEST_CASE("200 random corruptions of a saved image, in the pages that are read, crash and hang nothing") {
  const auto kernel = cached_kernel();
  if (!kernel) SKIP_TEST("no kernel in the cache");
  auto guest = boot_and_freeze(*kernel, true);
  REQUIRE_MESSAGE(guest.has_value(), guest.error().message);
  const ScratchFile file;
  REQUIRE(save_memory_image(file.path(), guest->memory, guest->vcpus));
  guest->machine->kill();
  const auto image = MemoryImage::open(file.path());
  REQUIRE_MESSAGE(image.has_value(), image.error().message);
  const RecordingMemory recording(image->memory());
  REQUIRE(look_around(recording, *guest, image->vcpus()));
  const auto pages = recording.pages();
  std::mt19937_64 random(1);
  int whole = 0;
  for (int round = 0; round < 200; ++round) {
    DamagedMemory damaged(image->memory());
    DamagedMemory::Page bytes;
    for (std::byte& byte : bytes) byte = static_cast<std::byte>(random());
    damaged.replace_page(pages[random() % pages.size()], bytes);
    whole += look_around(damaged, *guest, image->vcpus());
  }
  CHECK(whole > 0);
  CHECK(whole < 200);
}

}  // namespace ktstr::introspect::test
