#include "vmm/kvm/vm.h"

#include <fmt/format.h>

#include <vector>

#include "vmm/apic_id.h"
#include "vmm/kvm/ioctl.h"
#include "vmm/kvm/layout.h"

namespace ktstr::vmm::kvm {
namespace {

constexpr std::uint32_t kPicPins = 8;

kvm_irq_routing_entry chip_route(std::uint32_t gsi, std::uint32_t chip, std::uint32_t pin) {
  kvm_irq_routing_entry route{};
  route.gsi = gsi;
  route.type = KVM_IRQ_ROUTING_IRQCHIP;
  route.u.irqchip = {chip, pin};
  return route;
}

/// The ISA lines reach both controllers, as on a PC.
std::vector<kvm_irq_routing_entry> pin_routes() {
  std::vector<kvm_irq_routing_entry> routes;
  for (std::uint32_t gsi = 0; gsi < kIoApicPins; ++gsi) {
    if (gsi < kPicPins) routes.push_back(chip_route(gsi, KVM_IRQCHIP_PIC_MASTER, gsi));
    if (gsi >= kPicPins && gsi < 2 * kPicPins)
      routes.push_back(chip_route(gsi, KVM_IRQCHIP_PIC_SLAVE, gsi - kPicPins));
    routes.push_back(chip_route(gsi, KVM_IRQCHIP_IOAPIC, gsi));
  }
  return routes;
}

/// A KVM that does not know the question has the least that there was (Documentation/virt/kvm/api.rst, 4.7).
std::uint32_t most(const Kvm& kvm, int capability, std::uint32_t otherwise) {
  const int value = kvm.extension(capability);
  return value > 0 ? static_cast<std::uint32_t>(value) : otherwise;
}

Status check_size(const Kvm& kvm, std::size_t cpus, std::uint32_t largest_apic_id) {
  const auto most_cpus = most(kvm, KVM_CAP_MAX_VCPUS, 4);
  const auto ids = most(kvm, KVM_CAP_MAX_VCPU_ID, most_cpus);
  if (cpus > most_cpus)
    return Error{ErrorCode::kUnavailable,
                 fmt::format("{} CPUs: this host's KVM has {} at the most", cpus, most_cpus)};
  if (largest_apic_id >= ids)
    return Error{ErrorCode::kUnavailable,
                 fmt::format("the last CPU would have APIC id {}: this host's KVM has {} at the most",
                             largest_apic_id, ids - 1)};
  return ok();
}

}  // namespace

Result<Vm> Vm::create(const Kvm& kvm, std::span<const MemoryRegion> regions, std::size_t cpus,
                      std::uint32_t largest_apic_id) {
  KTSTR_TRY(check_size(kvm, cpus, largest_apic_id));
  Vm vm(Fd(KTSTR_TRY(kvm_value(kvm.fd(), KVM_CREATE_VM, "KVM_CREATE_VM", 0))),
        largest_apic_id > kLargestXapicId);
  KTSTR_TRY(vm.set_up(kvm));
  KTSTR_TRY(vm.add_memory(regions));
  return vm;
}

Status Vm::set_up(const Kvm& kvm) {
  if (kvm.extension(KVM_CAP_SET_TSS_ADDR))
    KTSTR_TRY(kvm_ioctl(fd(), KVM_SET_TSS_ADDR, "KVM_SET_TSS_ADDR", kKvmTss.value()));
  if (kvm.extension(KVM_CAP_SET_IDENTITY_MAP_ADDR)) {
    std::uint64_t address = kKvmIdentityMap.value();
    KTSTR_TRY(kvm_ioctl(fd(), KVM_SET_IDENTITY_MAP_ADDR, "KVM_SET_IDENTITY_MAP_ADDR", &address));
  }
  if (extended_destinations_) {
    kvm_enable_cap ids{};
    ids.cap = KVM_CAP_X2APIC_API;
    ids.args[0] = KVM_X2APIC_API_USE_32BIT_IDS | KVM_X2APIC_API_DISABLE_BROADCAST_QUIRK;
    KTSTR_TRY(kvm_ioctl(fd(), KVM_ENABLE_CAP, "KVM_CAP_X2APIC_API", &ids));
  }
  return kvm_ioctl(fd(), KVM_CREATE_IRQCHIP, "KVM_CREATE_IRQCHIP", 0);
}

Status Vm::add_memory(std::span<const MemoryRegion> regions) const {
  std::uint32_t slot = 0;
  for (const auto& region : regions) {
    kvm_userspace_memory_region memory{};
    memory.slot = slot++;
    memory.guest_phys_addr = region.base.value();
    memory.memory_size = region.bytes.size();
    memory.userspace_addr = reinterpret_cast<std::uintptr_t>(region.bytes.data());
    KTSTR_TRY(kvm_ioctl(fd(), KVM_SET_USER_MEMORY_REGION, "KVM_SET_USER_MEMORY_REGION", &memory));
  }
  return ok();
}

Status Vm::limit_halt_polling(const Kvm& kvm, Duration longest) const {
  if (!kvm.extension(KVM_CAP_HALT_POLL))
    return Error{ErrorCode::kUnavailable, "halt polling: this KVM has no limit for one machine"};
  kvm_enable_cap limit{};
  limit.cap = KVM_CAP_HALT_POLL;
  limit.args[0] = static_cast<std::uint64_t>(longest.ns);
  return kvm_ioctl(fd(), KVM_ENABLE_CAP, "KVM_CAP_HALT_POLL", &limit);
}

Status Vm::connect_interrupt(std::uint32_t gsi, int event) const {
  kvm_irqfd connection{};
  connection.fd = static_cast<std::uint32_t>(event);
  connection.gsi = gsi;
  return kvm_ioctl(fd(), KVM_IRQFD, "KVM_IRQFD", &connection);
}

Status Vm::connect_doorbell(GuestPhys address, std::uint32_t bytes, int event) const {
  kvm_ioeventfd connection{};
  connection.addr = address.value();
  connection.len = bytes;
  connection.fd = event;
  return kvm_ioctl(fd(), KVM_IOEVENTFD, "KVM_IOEVENTFD", &connection);
}

Status Vm::route_message(std::uint32_t gsi, std::uint64_t address, std::uint32_t data) {
  if (extended_destinations_) address = msi_address_for_kvm(address);
  kvm_irq_routing_entry message{};
  message.gsi = gsi;
  message.type = KVM_IRQ_ROUTING_MSI;
  message.u.msi.address_lo = static_cast<std::uint32_t>(address);
  message.u.msi.address_hi = static_cast<std::uint32_t>(address >> 32);
  message.u.msi.data = data;
  messages_[gsi] = message;

  auto routes = pin_routes();
  for (const auto& [_, route] : messages_) routes.push_back(route);
  RoutingTable table(routes);
  KTSTR_TRY(table.request(fd(), KVM_SET_GSI_ROUTING, "KVM_SET_GSI_ROUTING"));
  return ok();
}

}  // namespace ktstr::vmm::kvm
