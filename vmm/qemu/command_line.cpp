#include "vmm/qemu/command_line.h"

#include <fmt/format.h>

#include "vmm/channel_device.h"
#include "vmm/linux_boot.h"
#include "vmm/qemu/monitor_text.h"

namespace ktstr::vmm::qemu {
namespace {

constexpr std::uint64_t kMiB = 1024 * 1024;

using Arguments = std::vector<std::string>;

void add(Arguments& arguments, std::initializer_list<std::string> more) {
  arguments.insert(arguments.end(), more.begin(), more.end());
}

std::string descriptor_path(int fd) {
  return fmt::format("/proc/self/fd/{}", fd);
}

/// TCG emulates SVM, which the kernel uses on AMD's CPUs only; but not the interception of XSETBV (QEMU 7.2),
/// without which KVM tells its guest a wrong size of the XSAVE area.
const char* emulated_cpu(const MachineConfig& config) {
  return config.nested_virtualization ? "max,xsave=off" : "max,vendor=GenuineIntel";
}

/// L3 sharing, which is what the guest takes for an LLC, follows the socket in CPUID leaf 4; the kernel reads
/// that leaf from Intel CPUs only. One socket is one LLC.
void add_processors(Arguments& arguments, const MachineConfig& config) {
  const auto& topology = config.topology;
  if (config.accelerator == Accelerator::kTcg)
    add(arguments, {"-accel", "tcg,thread=single", "-cpu", emulated_cpu(config)});
  else
    add(arguments, {"-accel", "kvm", "-cpu", "host,host-cache-info=off,l3-cache=on"});
  add(arguments, {"-smp", fmt::format("{},sockets={},cores={},threads={}", topology.cpus(), topology.llcs,
                                      topology.cores_per_llc, topology.threads_per_core)});
}

void add_banks(Arguments& arguments, const MachinePlan& plan, const QemuDescriptors& descriptors) {
  std::uint64_t total = 0;
  for (std::size_t i = 0; i < plan.bank_bytes.size(); ++i) {
    total += plan.bank_bytes[i];
    add(arguments,
        {"-object", fmt::format("memory-backend-file,id={},mem-path={},size={}M,share=on", bank_name(i),
                                descriptor_path(descriptors.ram[i]), plan.bank_bytes[i] / kMiB)});
  }
  add(arguments, {"-m", fmt::format("{}M", total / kMiB)});
}

/// Nodes that are alike need no HMAT to say so.
bool has_hmat(const Topology& topology) {
  return !topology.node_specs.empty() || !topology.relations.empty();
}

void add_node(Arguments& arguments, const Topology& topology, std::size_t node) {
  auto text = fmt::format("node,nodeid={},memdev={}", node, bank_name(node));
  if (const auto cpus = topology.node_cpus(node); !cpus.empty())
    text += ",cpus=" + cpus.to_string();
  else
    text += fmt::format(",initiator={}", topology.relations.nearest_cpus(node, topology.nodes_with_cpus()));
  add(arguments, {"-numa", text});
}

void add_distances(Arguments& arguments, const Topology& topology) {
  for (std::size_t from = 0; from < topology.nodes; ++from)
    for (std::size_t to = from + 1; to < topology.nodes; ++to)
      add(arguments, {"-numa", fmt::format("dist,src={},dst={},val={}", from, to,
                                           topology.relations.distance(from, to))});
}

void add_hmat(Arguments& arguments, const Topology& topology) {
  for (std::size_t from = 0; from < topology.nodes_with_cpus(); ++from)
    for (std::size_t to = 0; to < topology.nodes; ++to) {
      const auto pair = fmt::format("hmat-lb,initiator={},target={},hierarchy=memory", from, to);
      const auto& relations = topology.relations;
      add(arguments, {"-numa", fmt::format("{},data-type=access-latency,latency={}", pair,
                                           relations.latency(from, to))});
      add(arguments, {"-numa", fmt::format("{},data-type=access-bandwidth,bandwidth={}M", pair,
                                           relations.bandwidth(from, to))});
    }
}

void add_numa(Arguments& arguments, const Topology& topology) {
  for (std::size_t node = 0; node < topology.nodes; ++node) add_node(arguments, topology, node);
  if (!topology.relations.distances.empty()) add_distances(arguments, topology);
  if (has_hmat(topology)) add_hmat(arguments, topology);
}

/// Linux takes x2APIC ids only where an IOMMU can address interrupts to them (enable_x2apic() in
/// arch/x86/kernel/apic/apic.c). It translates no addresses of devices.
void add_interrupt_remapping(Arguments& arguments) {
  add(arguments, {"-device", "intel-iommu,intremap=on,eim=on,dma-translation=off"});
}

void add_machine(Arguments& arguments, const MachineConfig& config, const MachinePlan& plan) {
  // On a microvm, whose ACPI is "hardware-reduced", Linux neither sets up nor masks the PC's interrupt
  // controller and timer: what they raise would come as vector 0.
  if (plan.type == MachineType::kMicrovm)
    return add(arguments, {"-M", "microvm,pcie=on,pic=off,pit=off,memory-backend=" + bank_name(0)});
  const bool q35 = plan.type == MachineType::kQ35;
  add(arguments, {"-M", fmt::format("{},usb=off,vmport=off{}", q35 ? "q35,sata=off,smbus=off" : "pc",
                                    has_hmat(config.topology) ? ",hmat=on" : "")});
  if (q35) add_interrupt_remapping(arguments);
  add_numa(arguments, config.topology);
}

void add_socket(Arguments& arguments, const char* id, int fd) {
  add(arguments, {"-chardev", fmt::format("socket,id={},fd={}", id, fd)});
}

void add_devices(Arguments& arguments, const QemuDescriptors& descriptors) {
  add_socket(arguments, "qmp", descriptors.qmp);
  add(arguments, {"-mon", "chardev=qmp,mode=control"});
  add_socket(arguments, "gdb", descriptors.gdb);
  add(arguments, {"-gdb", "chardev:gdb"});
  add_socket(arguments, "console", descriptors.console);
  add(arguments, {"-serial", "chardev:console"});
  add_socket(arguments, "channel", descriptors.channel);
  add(arguments, {"-device", "virtio-serial-pci", "-device",
                  fmt::format("virtserialport,chardev=channel,name={}", kChannelPortName)});
}

/// A machine that goes on has its kernel in memory, and what QEMU made of it for the firmware to load is not
/// part of the saved state.
void add_origin(Arguments& arguments, const MachineConfig& config, const QemuDescriptors& descriptors,
                std::uint64_t tsc_khz) {
  if (descriptors.device_state >= 0) return add(arguments, {"-incoming", "defer"});
  add(arguments, {"-kernel", descriptor_path(descriptors.kernel)});
  if (descriptors.initramfs >= 0) add(arguments, {"-initrd", descriptor_path(descriptors.initramfs)});
  add(arguments, {"-append", qemu_kernel_command_line(config, tsc_khz)});
}

}  // namespace

std::vector<std::string> qemu_command_line(const std::string& program, const MachineConfig& config,
                                           const MachinePlan& plan, const QemuDescriptors& descriptors,
                                           std::uint64_t tsc_khz) {
  Arguments arguments{program};
  add(arguments, {"-nodefaults", "-no-user-config", "-display", "none", "-S"});
  // A guest that has ended is stopped, with its vCPUs as they were, until QEMU is told to quit.
  add(arguments, {"-action", "reboot=shutdown,shutdown=pause"});
  add(arguments, {"-sandbox", "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny"});
  add_machine(arguments, config, plan);
  add_processors(arguments, config);
  add_banks(arguments, plan, descriptors);
  add_devices(arguments, descriptors);
  add_origin(arguments, config, descriptors, tsc_khz);
  return arguments;
}

std::string qemu_kernel_command_line(const MachineConfig& config, std::uint64_t tsc_khz) {
  // microvm has no other clock to measure the TSC against; elsewhere it saves the measuring. The emulated CPU
  // has none of the flaws that the kernel would work around, and the workarounds are slow there
  // (docs/vmm.md). All emulated CPUs read one clock: nothing else could vouch for it, and without that word
  // the kernel takes none of its timers at more than a tick's resolution. And each CPU would measure the
  // length of its delay loop, for 80 ms and more, which is a count of that clock.
  if (config.accelerator != Accelerator::kTcg) return kernel_command_line(config, {});
  auto own = fmt::format(" tsc_early_khz={} tsc=reliable mitigations=off", tsc_khz);
  if (config.tick_rate) own += fmt::format(" lpj={}", tsc_khz * 1000 / *config.tick_rate);
  return kernel_command_line(config, own);
}

}  // namespace ktstr::vmm::qemu
