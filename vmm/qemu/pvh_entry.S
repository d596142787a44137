// From the PVH entry (32-bit, paging off, ebx = struct hvm_start_info) to the kernel's 64-bit entry (rsi = struct boot_params;
// Documentation/arch/x86/boot.rst, "64-bit Boot Protocol"). The boot_params page is filled by the host but for what only the
// firmware knows: the memory map and the places of command line and ACPI tables.
// The bytes between the two symbols are copied to KTSTR_PVH_ENTRY; they refer to themselves by that address only.

#include "vmm/qemu/pvh_entry_layout.h"

// struct hvm_start_info, hvm_memmap_table_entry: Xen's public/arch-x86/hvm/start_info.h
#define START_CMDLINE 24
#define START_RSDP 32
#define START_MEMMAP 40
#define START_MEMMAP_ENTRIES 48
#define MEMMAP_ENTRY_BYTES 24

// struct boot_params: asm/bootparam.h
#define PARAMS_RSDP 0x70
#define PARAMS_E820_ENTRIES 0x1e8
#define PARAMS_CMDLINE 0x228
#define PARAMS_E820_TABLE 0x2d0
#define E820_ENTRY_WORDS 5
#define E820_MAX_ENTRIES 128

#define CR0_PE_PG 0x80000001
#define CR4_PAE 0x20
#define MSR_EFER 0xc0000080
#define EFER_LME 0x100

#define AT(label) (KTSTR_PVH_ENTRY + label - ktstr_pvh_entry_begin)

  .section .rodata
  .code32
  .globl ktstr_pvh_entry_begin
ktstr_pvh_entry_begin:
  cld
  movl $KTSTR_PVH_BOOT_PARAMS, %ebp
  movl START_CMDLINE(%ebx), %eax
  movl %eax, PARAMS_CMDLINE(%ebp)
  movl START_RSDP(%ebx), %eax
  movl %eax, PARAMS_RSDP(%ebp)

  movl START_MEMMAP_ENTRIES(%ebx), %edx
  cmpl $E820_MAX_ENTRIES, %edx
  jbe 1f
  movl $E820_MAX_ENTRIES, %edx
1:
  movb %dl, PARAMS_E820_ENTRIES(%ebp)
  movl START_MEMMAP(%ebx), %eax
  leal PARAMS_E820_TABLE(%ebp), %edi
2:
  testl %edx, %edx
  jz 3f
  movl %eax, %esi
  movl $E820_ENTRY_WORDS, %ecx
  rep movsl
  addl $MEMMAP_ENTRY_BYTES, %eax
  decl %edx
  jmp 2b

3:
  lgdt AT(.Lgdt_pointer)
  movl %cr4, %eax
  orl $CR4_PAE, %eax
  movl %eax, %cr4
  movl $KTSTR_PVH_PML4, %eax
  movl %eax, %cr3
  movl $MSR_EFER, %ecx
  rdmsr
  orl $EFER_LME, %eax
  wrmsr
  movl %cr0, %eax
  orl $CR0_PE_PG, %eax
  movl %eax, %cr0
  ljmp $(.Lcode - .Lgdt), $AT(.Llong_mode)

  .code64
.Llong_mode:
  movl $(.Ldata - .Lgdt), %eax
  movl %eax, %ds
  movl %eax, %es
  movl %eax, %ss
  movl $KTSTR_PVH_BOOT_PARAMS, %esi
  movabs AT(ktstr_pvh_entry_kernel), %rax
  jmp *%rax

  .balign 8
.Lgdt:
  .quad 0, 0
.Lcode:  // __BOOT_CS of the protocol: 0x10
  .quad 0x00af9b000000ffff
.Ldata:  // __BOOT_DS: 0x18
  .quad 0x00cf93000000ffff
.Lgdt_pointer:
  .word . - .Lgdt - 1
  .long AT(.Lgdt)

  .balign 8
  .globl ktstr_pvh_entry_kernel
ktstr_pvh_entry_kernel:  // the kernel's 64-bit entry, filled in by the host
  .quad 0
  .globl ktstr_pvh_entry_end
ktstr_pvh_entry_end:

  .section .note.GNU-stack, "", @progbits
