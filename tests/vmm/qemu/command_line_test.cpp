#include "vmm/qemu/command_line.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "tests/vmm/mebibyte.h"
#include "vmm/qemu/version.h"

namespace ktstr::vmm::qemu {
namespace {

MachineConfig config_of(const char* topology, std::uint64_t memory_mib = 1024) {
  MachineConfig config;
  config.topology = *Topology::parse(topology);
  config.memory = ByteSize{memory_mib * kMiB};
  return config;
}

std::vector<std::string> arguments_of(const MachineConfig& config, const MachinePlan& plan) {
  QemuDescriptors descriptors{3, 4, 5, 6, 7, -1, -1, {}};
  for (std::size_t i = 0; i < plan.bank_bytes.size(); ++i) descriptors.ram.push_back(9 + static_cast<int>(i));
  return qemu_command_line("/usr/bin/qemu", config, plan, descriptors, 2'500'000);
}

std::vector<std::string> arguments_of(const MachineConfig& config) {
  const auto plan = plan_machine(config);
  REQUIRE(plan.has_value());
  return arguments_of(config, *plan);
}

/// The values of every `option`.
std::vector<std::string> values_of(const std::vector<std::string>& arguments, std::string_view option) {
  std::vector<std::string> values;
  for (std::size_t i = 0; i + 1 < arguments.size(); ++i)
    if (arguments[i] == option) values.push_back(arguments[i + 1]);
  return values;
}

using Values = std::vector<std::string>;

}  // namespace

TEST_CASE("one node is a microvm with its memory in our descriptor") {
  const auto arguments = arguments_of(config_of("1n2l4c2t"));
  CHECK(arguments.front() == "/usr/bin/qemu");
  CHECK(values_of(arguments, "-M") == Values{"microvm,pcie=on,pic=off,pit=off,memory-backend=ram0"});
  CHECK(values_of(arguments, "-smp") == Values{"16,sockets=2,cores=4,threads=2"});
  CHECK(values_of(arguments, "-object") ==
        Values{"memory-backend-file,id=ram0,mem-path=/proc/self/fd/9,size=1024M,share=on"});
  CHECK(values_of(arguments, "-m") == Values{"1024M"});
  CHECK(values_of(arguments, "-numa").empty());
}

TEST_CASE("several nodes are a pc with a bank and a CPU range each") {
  const auto arguments = arguments_of(config_of("2n4l2c1t"));
  CHECK(values_of(arguments, "-M").front().starts_with("pc,"));
  CHECK(values_of(arguments, "-smp") == Values{"8,sockets=4,cores=2,threads=1"});
  CHECK(values_of(arguments, "-object").size() == 2);
  CHECK(values_of(arguments, "-numa") ==
        Values{"node,nodeid=0,memdev=ram0,cpus=0-3", "node,nodeid=1,memdev=ram1,cpus=4-7"});
  CHECK(values_of(arguments, "-m") == Values{"1024M"});
}

TEST_CASE("nodes that differ have their CPUs and memory, and HMAT what follows from them") {
  const auto arguments = arguments_of(config_of("2n3l2c1t nodes=2:768M,1"));
  CHECK(values_of(arguments, "-M").front() == "pc,usb=off,vmport=off,hmat=on");
  CHECK(values_of(arguments, "-smp") == Values{"6,sockets=3,cores=2,threads=1"});
  CHECK(values_of(arguments, "-object") ==
        Values{"memory-backend-file,id=ram0,mem-path=/proc/self/fd/9,size=768M,share=on",
               "memory-backend-file,id=ram1,mem-path=/proc/self/fd/10,size=256M,share=on"});
  const auto numa = values_of(arguments, "-numa");
  REQUIRE(numa.size() == 2 + 4 * 2);
  CHECK(numa[0] == "node,nodeid=0,memdev=ram0,cpus=0-3");
  CHECK(numa[1] == "node,nodeid=1,memdev=ram1,cpus=4-5");
  CHECK(numa[2] == "hmat-lb,initiator=0,target=0,hierarchy=memory,data-type=access-latency,latency=100");
  CHECK(numa[5] ==
        "hmat-lb,initiator=0,target=1,hierarchy=memory,data-type=access-bandwidth,bandwidth=10000M");
}

TEST_CASE("a node without CPUs names the nearest that has, and stated distances are told once a pair") {
  const auto numa = values_of(
      arguments_of(config_of("3n2l1c1t nodes=1,1,0:64M distances=10,21,40/21,10,30/40,30,10")), "-numa");
  REQUIRE(numa.size() == 3 + 3 + 2 * 3 * 2);
  CHECK(numa[2] == "node,nodeid=2,memdev=ram2,initiator=1");
  CHECK(numa[3] == "dist,src=0,dst=1,val=21");
  CHECK(numa[4] == "dist,src=0,dst=2,val=40");
  CHECK(numa[5] == "dist,src=1,dst=2,val=30");
  CHECK(numa.back() ==
        "hmat-lb,initiator=1,target=2,hierarchy=memory,data-type=access-bandwidth,bandwidth=6666M");
}

TEST_CASE("ids that need x2APIC are a q35 whose IOMMU remaps interrupts") {
  const auto config = config_of("2n32l4c2t", 4096);
  const auto arguments = arguments_of(config, {MachineType::kQ35, {2048 * kMiB, 2048 * kMiB}});
  CHECK(values_of(arguments, "-M").front().starts_with("q35,"));
  CHECK(values_of(arguments, "-device").front() == "intel-iommu,intremap=on,eim=on,dma-translation=off");
  CHECK(values_of(arguments, "-smp") == Values{"256,sockets=32,cores=4,threads=2"});
  CHECK(values_of(arguments, "-numa") ==
        Values{"node,nodeid=0,memdev=ram0,cpus=0-127", "node,nodeid=1,memdev=ram1,cpus=128-255"});
}

TEST_CASE("more nodes than QEMU has are refused by name") {
  const auto plan = plan_machine(config_of("129n129l1c1t", 65536));
  CHECK(plan.error().message ==
        "QEMU cannot express topology 129n129l1c1t: 129 NUMA nodes, the most are 128");
}

TEST_CASE("emulation runs every CPU on one thread, KVM only when asked for") {
  auto config = config_of("1n1l2c1t");
  CHECK(values_of(arguments_of(config), "-accel") == Values{"tcg,thread=single"});
  config.accelerator = Accelerator::kKvm;
  CHECK(values_of(arguments_of(config), "-accel") == Values{"kvm"});
  CHECK(qemu_kernel_command_line(config, 1).find("tsc_early_khz") == std::string::npos);
}

TEST_CASE("the machine starts stopped, stands still at its end, and has each stream on its descriptor") {
  const auto arguments = arguments_of(config_of("1n1l2c1t"));
  for (const char* flag : {"-S", "-nodefaults", "-no-user-config"}) {
    CAPTURE(flag);
    CHECK(std::count(arguments.begin(), arguments.end(), flag) == 1);
  }
  CHECK(values_of(arguments, "-action") == Values{"reboot=shutdown,shutdown=pause"});
  CHECK(values_of(arguments, "-chardev") == Values{"socket,id=qmp,fd=3", "socket,id=gdb,fd=4",
                                                   "socket,id=console,fd=5", "socket,id=channel,fd=6"});
  CHECK(values_of(arguments, "-kernel") == Values{"/proc/self/fd/7"});
  CHECK(values_of(arguments, "-initrd").empty());  // it is in the guest's memory already
}

TEST_CASE("an initramfs that QEMU is to load has a descriptor") {
  const auto config = config_of("1n1l2c1t");
  const auto arguments = qemu_command_line("qemu", config, {MachineType::kPc, {1024 * kMiB}},
                                           {3, 4, 5, 6, 7, 8, -1, {9}}, 2'500'000);
  CHECK(values_of(arguments, "-initrd") == Values{"/proc/self/fd/8"});
}

TEST_CASE("a machine that goes on from a snapshot differs in its origin alone") {
  const auto config = config_of("2n4l1c1t");
  const auto plan = plan_machine(config);
  auto boot = qemu_command_line("qemu", config, *plan, {3, 4, 5, 6, 7, -1, -1, {9, 10}}, 2'500'000);
  auto fork = qemu_command_line("qemu", config, *plan, {3, 4, 5, 6, -1, -1, 7, {9, 10}}, 2'500'000);
  CHECK(values_of(fork, "-incoming") == Values{"defer"});
  CHECK(values_of(fork, "-kernel").empty());
  boot.resize(boot.size() - 4);  // -kernel, -append
  fork.resize(fork.size() - 2);
  CHECK(boot == fork);
}

TEST_CASE("the kernel's arguments end with the configuration's") {
  auto config = config_of("1n1l2c1t");
  config.kernel_args = {"a=1", "b"};
  const auto line = qemu_kernel_command_line(config, 2'500'000);
  CHECK(line.ends_with(" a=1 b"));
  CHECK(line.find("tsc_early_khz=2500000") != std::string::npos);
  CHECK(line.find(" tsc=reliable ") != std::string::npos);
  CHECK(line.find("nokaslr") == std::string::npos);
  config.kaslr = false;
  CHECK(qemu_kernel_command_line(config, 2'500'000).find(" nokaslr") != std::string::npos);
}

TEST_CASE("emulated CPUs of a kernel whose tick is known measure no delay loop") {
  auto config = config_of("1n1l2c1t");
  CHECK(qemu_kernel_command_line(config, 2'596'120).find(" lpj=") == std::string::npos);
  config.tick_rate = 250;
  CHECK(qemu_kernel_command_line(config, 2'596'120).find(" lpj=10384480") != std::string::npos);
  config.accelerator = Accelerator::kKvm;
  CHECK(qemu_kernel_command_line(config, 2'596'120).find(" lpj=") == std::string::npos);
}

TEST_CASE("memory is rounded up to whole 2 MiB per node") {
  const auto plan = plan_machine(config_of("4n4l1c1t", 1025));
  CHECK(plan->bank_bytes == std::vector<std::uint64_t>(4, 258 * kMiB));
}

TEST_CASE("too little memory for the CPUs is refused with what they need") {
  const auto plan = plan_machine(config_of("1n1l4c1t", 128));
  CHECK(plan.error().code == ErrorCode::kInvalidArgument);
  CHECK(plan.error().message == "128M of memory is too little for 4 CPUs: a kernel needs 208M to boot");
}

TEST_CASE("what of the host only ktstr's own machine gets is refused by name, memory is not") {
  auto config = config_of("1n1l2c1t");
  config.performance = {.huge_pages = true, .prefault = true};
  CHECK(plan_machine(config).has_value());
  config.performance.pin_vcpus = true;
  const auto pinned = plan_machine(config);
  CHECK(pinned.error().code == ErrorCode::kUnavailable);
  CHECK(pinned.error().message ==
        "pinned vCPUs are to be had on ktstr's own machine (backend kvm) only, not on QEMU");
  config.performance = {.realtime_priority = 100};
  CHECK(plan_machine(config).error().message == "realtime priority 100: SCHED_FIFO has 1 to 99");
}

TEST_CASE("QEMU is looked for along the path, and its package named when it is not there") {
  CHECK(find_qemu("/nonexistent::/").error().code == ErrorCode::kUnavailable);
  CHECK(find_qemu("").error().message.find("package qemu-system-x86") != std::string::npos);
}

}  // namespace ktstr::vmm::qemu
