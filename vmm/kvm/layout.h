// Where everything lies in the guest-physical and I/O address spaces of our own machine.
#pragma once

#include <cstdint>

#include "engine/base/address.h"

namespace ktstr::vmm::kvm {

// Guest-physical memory. RAM fills [0, kLowRamEnd), and goes on at kHighRam.
inline constexpr GuestPhys kGdt{0x500};          ///< descriptors of the 64-bit boot protocol
inline constexpr GuestPhys kBootParams{0x7000};  ///< struct boot_params, one page
inline constexpr GuestPhys kPageTables{0x9000};  ///< identity map of the first 4 GiB: six pages
inline constexpr GuestPhys kCommandLine{0x20000};
inline constexpr std::uint64_t kCommandLineBytes = 0x10000;
inline constexpr GuestPhys kLowRamGap{0x9fc00};   ///< RAM pauses here (the EBDA of a PC) ...
inline constexpr GuestPhys kAcpiTables{0xe0000};  ///< RSDP first, where firmware-less kernels search it
inline constexpr std::uint64_t kAcpiTablesBytes = 0x20000;
inline constexpr GuestPhys kHighMemory{0x100000};  ///< ... and goes on here, at 1 MiB
inline constexpr GuestPhys kLowRamEnd{0xc0000000};
inline constexpr GuestPhys kHighRam{0x100000000};

// The hole below 4 GiB.
inline constexpr GuestPhys kPciWindow = kLowRamEnd;  ///< BARs
inline constexpr std::uint64_t kPciWindowBytes = 0x10000000;
inline constexpr GuestPhys kIoApic{0xfec00000};
inline constexpr GuestPhys kLocalApic{0xfee00000};
inline constexpr GuestPhys kKvmTss{0xfffbd000};  ///< three pages that KVM needs on Intel (KVM_SET_TSS_ADDR)
inline constexpr GuestPhys kKvmIdentityMap{0xfffbc000};  ///< one page (KVM_SET_IDENTITY_MAP_ADDR)

// I/O ports.
inline constexpr std::uint16_t kCmosPort = 0x70;  ///< index and data
inline constexpr std::uint16_t kCom1Port = 0x3f8;
inline constexpr std::uint16_t kPvpanicPort = 0x505;
inline constexpr std::uint16_t kSleepControlPort = 0x600;  ///< ACPI 6.5, 4.8.3.7
inline constexpr std::uint16_t kSleepStatusPort = 0x601;
inline constexpr std::uint16_t kResetPort = 0x602;
inline constexpr std::uint8_t kResetValue = 0x01;
inline constexpr std::uint8_t kSoftOffType = 5;         ///< SLP_TYP of the DSDT's \_S5
inline constexpr std::uint16_t kPciConfigPort = 0xcf8;  ///< address, and data at + 4
inline constexpr std::uint16_t kPciIoWindow = 0x1000;   ///< BARs, above every port named here
inline constexpr std::uint16_t kPciIoWindowBytes = 0xf000;

// Interrupts.
inline constexpr std::uint32_t kCom1Gsi = 4;
inline constexpr std::uint32_t kIoApicPins = 24;
inline constexpr std::uint32_t kFirstMsiGsi = 32;  ///< routes of message-signalled interrupts

}  // namespace ktstr::vmm::kvm
