// The registers of a vCPU: as the boot protocol and firmware set them, and as a freeze reads them.
#include <cstring>
#include <iterator>
#include <optional>

#include "vmm/kvm/ioctl.h"
#include "vmm/kvm/layout.h"
#include "vmm/kvm/vcpu.h"
#include "vmm/linux_boot.h"

namespace ktstr::vmm::kvm {
namespace {

// Intel SDM volume 3, chapter 2 and volume 4, table 2-2.
constexpr std::uint64_t kCr0 = 0x80000011;  // PG, ET, PE
constexpr std::uint64_t kCr4Pae = 0x20;
constexpr std::uint64_t kEferLongMode = 0x500;  // LME, LMA
constexpr std::uint32_t kMsrMiscEnable = 0x1a0;
constexpr std::uint64_t kFastStrings = 1;
constexpr std::uint32_t kMsrMtrrDefaultType = 0x2ff;
constexpr std::uint64_t kMtrrWriteBack = 0x806;  // enabled, write-back
constexpr std::uint32_t kMsrLstar = 0xc0000082, kMsrKernelGsBase = 0xc0000102;
constexpr std::size_t kLvt0 = 0x350, kLvt1 = 0x360;  // offsets of the local APIC's LINT0 and LINT1
constexpr std::uint32_t kDeliverNmi = 0x400, kDeliverExternal = 0x700;
constexpr std::uint64_t kRflagsFixed = 0x2;

kvm_segment flat_segment(std::uint16_t selector, std::uint8_t type, bool code) {
  kvm_segment segment{};
  segment.limit = 0xffffffff;
  segment.selector = selector;
  segment.type = type;
  segment.present = segment.s = segment.g = 1;
  segment.l = code;
  segment.db = !code;
  return segment;
}

std::optional<std::uint64_t> read_msr(int fd, std::uint32_t index) {
  const kvm_msr_entry wanted{index, 0, 0};
  MsrTable msrs(std::span(&wanted, 1));
  const auto read = msrs.request(fd, KVM_GET_MSRS, "KVM_GET_MSRS");
  if (!read || *read != 1) return std::nullopt;
  return msrs.entries()[0].data;
}

constexpr std::uint64_t kDr7Fixed = 0x700;  // bit 10 reads as 1; LE and GE, for exact data breakpoints
constexpr std::uint64_t kBreakOnWrite = 1;
constexpr std::uint64_t kGlobalEnable = 2;

/// LEN of DR7: 1, 2, 8 and 4 bytes are 0, 1, 2 and 3.
std::uint64_t length_code(std::size_t bytes) {
  return bytes == 8 ? 2 : bytes - 1;
}

void put_lvt(kvm_lapic_state& apic, std::size_t offset, std::uint32_t delivery) {
  std::memcpy(apic.regs + offset, &delivery, sizeof(delivery));
}

}  // namespace

Status Vcpu::set_cpuid(std::span<const kvm_cpuid_entry2> leaves) const {
  CpuidTable table(leaves);
  KTSTR_TRY(table.request(fd(), KVM_SET_CPUID2, "KVM_SET_CPUID2"));
  return ok();
}

Status Vcpu::set_up() const {
  const kvm_msr_entry initial[] = {{kMsrMiscEnable, 0, kFastStrings},
                                   {kMsrMtrrDefaultType, 0, kMtrrWriteBack}};
  MsrTable msrs(initial);
  const auto written = KTSTR_TRY(msrs.request(fd(), KVM_SET_MSRS, "KVM_SET_MSRS"));
  if (written != static_cast<int>(std::size(initial)))
    return Error{ErrorCode::kUnavailable, "KVM refuses MSR_IA32_MISC_ENABLE or MSR_MTRRdefType"};
  kvm_lapic_state apic{};
  KTSTR_TRY(kvm_ioctl(fd(), KVM_GET_LAPIC, "KVM_GET_LAPIC", &apic));
  put_lvt(apic, kLvt0, kDeliverExternal);
  put_lvt(apic, kLvt1, kDeliverNmi);
  return kvm_ioctl(fd(), KVM_SET_LAPIC, "KVM_SET_LAPIC", &apic);
}

Status Vcpu::set_boot_registers(GuestPhys entry, GuestPhys boot_params) const {
  kvm_sregs special{};
  KTSTR_TRY(kvm_ioctl(fd(), KVM_GET_SREGS, "KVM_GET_SREGS", &special));
  special.gdt.base = kGdt.value();
  special.gdt.limit = sizeof(kBootGdt) - 1;
  special.idt = {};
  special.cs = flat_segment(kBootCs, 0xb, true);
  special.ds = special.es = special.fs = special.gs = special.ss = flat_segment(kBootDs, 0x3, false);
  special.cr0 = kCr0;
  special.cr3 = kPageTables.value();
  special.cr4 = kCr4Pae;
  special.efer = kEferLongMode;
  KTSTR_TRY(kvm_ioctl(fd(), KVM_SET_SREGS, "KVM_SET_SREGS", &special));
  kvm_regs general{};
  general.rip = entry.value();
  general.rsi = boot_params.value();
  general.rflags = kRflagsFixed;
  return kvm_ioctl(fd(), KVM_SET_REGS, "KVM_SET_REGS", &general);
}

std::optional<GuestPhys> Vcpu::translate(KernelVirt address) const {
  kvm_translation translation{};
  translation.linear_address = address.value();
  const auto done = kvm_ioctl(fd(), KVM_TRANSLATE, "KVM_TRANSLATE", &translation);
  if (!done || !translation.valid) return std::nullopt;
  return GuestPhys(translation.physical_address);
}

kvm_guest_debug debug_registers(std::span<const Watchpoint> watchpoints) {
  kvm_guest_debug debug{};
  if (watchpoints.empty()) return debug;
  debug.control = KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_HW_BP;
  auto& dr7 = debug.arch.debugreg[7];
  dr7 = kDr7Fixed;
  for (std::size_t i = 0; i < watchpoints.size(); ++i) {
    debug.arch.debugreg[i] = watchpoints[i].address.value();
    dr7 |= kGlobalEnable << (2 * i);
    dr7 |= (kBreakOnWrite | length_code(watchpoints[i].bytes) << 2) << (16 + 4 * i);
  }
  return debug;
}

Status Vcpu::set_debug(const kvm_guest_debug& debug) const {
  return kvm_ioctl(fd(), KVM_SET_GUEST_DEBUG, "KVM_SET_GUEST_DEBUG", &debug);
}

Result<VcpuRegisters> Vcpu::registers() const {
  kvm_regs general{};
  KTSTR_TRY(kvm_ioctl(fd(), KVM_GET_REGS, "KVM_GET_REGS", &general));
  kvm_sregs special{};
  KTSTR_TRY(kvm_ioctl(fd(), KVM_GET_SREGS, "KVM_GET_SREGS", &special));
  VcpuRegisters registers;
  registers.rip = general.rip;
  registers.rsp = general.rsp;
  registers.rflags = general.rflags;
  registers.general = {general.rax, general.rbx, general.rcx, general.rdx, general.rsi, general.rdi,
                       general.rbp, general.rsp, general.r8,  general.r9,  general.r10, general.r11,
                       general.r12, general.r13, general.r14, general.r15};
  registers.cs = special.cs.selector;
  registers.ss = special.ss.selector;
  registers.cr0 = special.cr0;
  registers.cr2 = special.cr2;
  registers.cr3 = special.cr3;
  registers.cr4 = special.cr4;
  registers.efer = special.efer;
  registers.fs_base = special.fs.base;
  registers.gs_base = special.gs.base;
  registers.idt_base = special.idt.base;
  registers.kernel_gs_base = read_msr(fd(), kMsrKernelGsBase);
  registers.lstar = read_msr(fd(), kMsrLstar);
  return registers;
}

}  // namespace ktstr::vmm::kvm
