// The guest of the probe: does in turn what a stock kernel needs, and writes its stage before each. It is entered at
// ktstr_probe_entry as the 64-bit boot protocol enters a kernel, on an identity map of the first 4 GiB. The bytes between begin and
// end are copied to KTSTR_PROBE_CODE; they refer to themselves by that address only. Numbers: Intel SDM volume 3, chapters 4, 6, 9 and 11.

#include "vmm/kvm/probe_payload.h"

#define AT(label) (KTSTR_PROBE_CODE + label - ktstr_probe_begin)

#define CR0_PE 0x1
#define CR0_PE_ET_PG 0x80000011
#define CR4_PAE 0x20
#define MSR_EFER 0xc0000080
#define EFER_LME 0x100
#define MSR_LSTAR 0xc0000082
#define LSTAR_LOW 0x89abcd00  // a canonical address
#define LSTAR_HIGH 0xffff8123
#define PRESENT_WRITABLE 3

#define CODE32 0x08
#define CODE64 0x10  // as the boot protocol's
#define DATA 0x18

#define MAPPED 0x40000000  // the second GiB, of which the guest makes the tables itself
#define MAPPED_LATE (MAPPED + 0x1000)
#define MAGIC 0x6b747374
#define ITERATIONS 10000000  // of two instructions each: about a cycle, or 1.5 us where KVM emulates each (kvm-pvm)

#define VECTOR_PAGE_FAULT 14
#define VECTOR_TIMER 0x30
#define VECTOR_CALL 0x31
#define INTERRUPT_GATE 0x8e00

#define CPUID_HYPERVISOR 0x80000000  // leaf 1, ECX

#define APIC_VERSION 0xfee00030
#define APIC_SPURIOUS 0xfee000f0
#define APIC_ENABLED 0x1ff
#define MSR_APIC_BASE 0x1b
#define X2APIC_ENABLED 0xc00
#define MSR_TSC_DEADLINE 0x6e0
#define X2APIC_EOI 0x80b
#define X2APIC_SPURIOUS 0x80f
#define X2APIC_COMMAND 0x830
#define X2APIC_LVT_TIMER 0x832
#define X2APIC_INITIAL_COUNT 0x838
#define X2APIC_DIVIDE 0x83e
#define DIVIDE_BY_1 0xb
#define TSC_DEADLINE_MODE 0x40000
#define COUNT 100000
#define SEND_INIT 0x4500
#define SEND_STARTUP (0x4600 | KTSTR_PROBE_CODE >> 12)
#define SEND_FIXED 0x4000

.macro stage number
  movl $\number, KTSTR_PROBE_STAGE
  cmpl $\number, KTSTR_PROBE_HANG_AT
  je .Lhang
.endm

.macro gate vector, handler
  movl $((CODE64 << 16) + AT(\handler)), KTSTR_PROBE_IDT + 16 * \vector
  movl $INTERRUPT_GATE, KTSTR_PROBE_IDT + 16 * \vector + 4
.endm

.macro write_msr number, low, high=0
  movl $\number, %ecx
  movl $\low, %eax
  movl $\high, %edx
  wrmsr
.endm

.macro enable_x2apic
  movl $MSR_APIC_BASE, %ecx
  rdmsr
  orl $X2APIC_ENABLED, %eax
  wrmsr
.endm

// Sleeps until the handler has counted; no interrupt gets lost between the look and the hlt.
.macro halt_until_counted counter
1:
  cli
  cmpl $0, \counter
  jne 2f
  sti
  hlt
  jmp 1b
2:
.endm

// Counts and acknowledges.
.macro count_interrupt counter
  pushq %rax
  pushq %rcx
  pushq %rdx
  incl \counter
  write_msr X2APIC_EOI, 0
  popq %rdx
  popq %rcx
  popq %rax
  iretq
.endm

  .section .rodata
  .globl ktstr_probe_begin
ktstr_probe_begin:
// The second CPU starts here, in real mode, and goes the way to long mode that a kernel's trampoline goes.
  .code16
  cli
  xorw %ax, %ax
  movw %ax, %ds
  lgdtl AT(.Lgdt_pointer)
  movl %cr0, %eax
  orl $CR0_PE, %eax
  movl %eax, %cr0
  ljmpl $CODE32, $AT(.Lprotected_mode)

  .code32
.Lprotected_mode:
  movl $DATA, %eax
  movl %eax, %ds
  movl %eax, %ss
  movl %cr4, %eax
  orl $CR4_PAE, %eax
  movl %eax, %cr4
  movl $KTSTR_PROBE_PML4, %eax
  movl %eax, %cr3
  movl $MSR_EFER, %ecx
  rdmsr
  orl $EFER_LME, %eax
  wrmsr
  movl $CR0_PE_ET_PG, %eax
  movl %eax, %cr0
  ljmp $CODE64, $AT(.Llong_mode)

  .code64
.Llong_mode:
  movl $MAGIC, KTSTR_PROBE_ANSWER
  enable_x2apic
  write_msr X2APIC_COMMAND, SEND_FIXED | VECTOR_CALL
.Lstop:
  cli
  hlt
  jmp .Lstop

  .globl ktstr_probe_entry
ktstr_probe_entry:
  movl $KTSTR_PROBE_STACK_END, %esp

  stage KTSTR_PROBE_AT_PAGING
  movq %cr3, %rax
  movq (%rax), %rax
  andq $-0x1000, %rax
  movq (%rax), %rcx  // the first GiB stays as it is,
  movq %rcx, KTSTR_PROBE_PDPT
  movq 24(%rax), %rcx  // and the fourth, where the local APIC is
  movq %rcx, KTSTR_PROBE_PDPT + 24
  movq $(KTSTR_PROBE_DIRECTORY | PRESENT_WRITABLE), KTSTR_PROBE_PDPT + 8
  movq $(KTSTR_PROBE_TABLE | PRESENT_WRITABLE), KTSTR_PROBE_DIRECTORY
  movq $(KTSTR_PROBE_PAGE | PRESENT_WRITABLE), KTSTR_PROBE_TABLE
  movq $(KTSTR_PROBE_PDPT | PRESENT_WRITABLE), KTSTR_PROBE_PML4
  movl $KTSTR_PROBE_PML4, %eax
  movq %rax, %cr3
  movl $MAGIC, MAPPED
  cmpl $MAGIC, KTSTR_PROBE_PAGE
  jne .Lwrong

  stage KTSTR_PROBE_AT_SPEED
  movl $ITERATIONS, %ecx
1:
  decl %ecx
  jnz 1b

  stage KTSTR_PROBE_AT_PAGE_FAULT
  gate VECTOR_PAGE_FAULT, .Lpage_fault
  gate VECTOR_TIMER, .Ltimer
  gate VECTOR_CALL, .Lcall
  lidt AT(.Lidt_pointer)
  movl MAPPED_LATE, %eax
  cmpl $MAGIC, %eax
  jne .Lwrong

  stage KTSTR_PROBE_AT_LSTAR
  write_msr MSR_LSTAR, LSTAR_LOW, LSTAR_HIGH
  xorl %eax, %eax
  xorl %edx, %edx
  rdmsr
  cmpl $LSTAR_LOW, %eax
  jne .Lwrong
  cmpl $LSTAR_HIGH, %edx
  jne .Lwrong

  stage KTSTR_PROBE_AT_CPUID
  xorl %eax, %eax
  cpuid
  testl %eax, %eax
  jz .Lwrong
  movl $1, %eax
  cpuid
  testl $CPUID_HYPERVISOR, %ecx
  jz .Lwrong

  stage KTSTR_PROBE_AT_LOCAL_APIC
  movl $APIC_VERSION, %ebx
  testl $0xf0, (%rbx)
  jz .Lwrong
  movl $APIC_SPURIOUS, %ebx
  movl $APIC_ENABLED, (%rbx)
  enable_x2apic
  movl $X2APIC_SPURIOUS, %ecx
  rdmsr
  cmpl $APIC_ENABLED, %eax
  jne .Lwrong

  stage KTSTR_PROBE_AT_ONE_SHOT
  write_msr X2APIC_LVT_TIMER, VECTOR_TIMER
  write_msr X2APIC_DIVIDE, DIVIDE_BY_1
  write_msr X2APIC_INITIAL_COUNT, COUNT
  halt_until_counted KTSTR_PROBE_TICKS

  stage KTSTR_PROBE_AT_TSC_DEADLINE
  movl $0, KTSTR_PROBE_TICKS
  write_msr X2APIC_LVT_TIMER, TSC_DEADLINE_MODE | VECTOR_TIMER
  rdtsc
  addl $COUNT, %eax
  adcl $0, %edx
  movl $MSR_TSC_DEADLINE, %ecx
  wrmsr
  halt_until_counted KTSTR_PROBE_TICKS

  stage KTSTR_PROBE_AT_SECOND_CPU
  write_msr X2APIC_COMMAND, SEND_INIT, KTSTR_PROBE_SECOND_APIC_ID
  write_msr X2APIC_COMMAND, SEND_STARTUP, KTSTR_PROBE_SECOND_APIC_ID
1:
  pause
  cmpl $MAGIC, KTSTR_PROBE_ANSWER
  jne 1b

  stage KTSTR_PROBE_AT_CALL
  halt_until_counted KTSTR_PROBE_CALLS

  stage KTSTR_PROBE_AT_REPORT
  movl $KTSTR_PROBE_DONE, %eax
.Lreport:
  outb %al, $KTSTR_PROBE_PORT
  jmp .Lstop

.Lwrong:
  movl $KTSTR_PROBE_WRONG, %eax
  jmp .Lreport

.Lhang:
  pause
  jmp .Lhang

.Lpage_fault:
  pushq %rax
  movq %cr2, %rax
  cmpq $MAPPED_LATE, %rax
  jne .Lwrong
  movq $(KTSTR_PROBE_PAGE | PRESENT_WRITABLE), KTSTR_PROBE_TABLE + 8
  popq %rax
  addq $8, %rsp  // the error code
  iretq

.Ltimer:
  count_interrupt KTSTR_PROBE_TICKS

.Lcall:
  count_interrupt KTSTR_PROBE_CALLS

  .balign 8
.Lgdt:
  .quad 0
  .quad 0x00cf9b000000ffff, 0x00af9b000000ffff, 0x00cf93000000ffff
.Lgdt_pointer:
  .word . - .Lgdt - 1
  .long AT(.Lgdt)
.Lidt_pointer:
  .word 16 * 256 - 1
  .quad KTSTR_PROBE_IDT
  .globl ktstr_probe_end
ktstr_probe_end:

  .section .note.GNU-stack, "", @progbits
