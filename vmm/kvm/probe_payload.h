// The guest of the probe (probe_payload.S): its stages and where its things lie; also for the assembler.
#pragma once

// Guest-physical. The loader's GDT and identity map (layout.h) lie below and between.
#define KTSTR_PROBE_CODE 0x8000   // one page, whose number is the start-up vector of the second CPU
#define KTSTR_PROBE_PML4 0x10000  // the guest's own tables, one page each
#define KTSTR_PROBE_PDPT 0x11000
#define KTSTR_PROBE_DIRECTORY 0x12000
#define KTSTR_PROBE_TABLE 0x13000
#define KTSTR_PROBE_IDT 0x14000
#define KTSTR_PROBE_STACK_END 0x16000
#define KTSTR_PROBE_PAGE 0x17000     // what the guest maps once more, elsewhere
#define KTSTR_PROBE_STAGE 0x18000    // 32 bits each: where the guest is,
#define KTSTR_PROBE_HANG_AT 0x18004  // the stage at which it is to loop (0: nowhere),
#define KTSTR_PROBE_TICKS 0x18008    // interrupts of the timer,
#define KTSTR_PROBE_CALLS 0x1800c    // interrupts from the second CPU,
#define KTSTR_PROBE_ANSWER 0x18010   // and its answer
#define KTSTR_PROBE_RAM_BYTES 0x20000

// The guest's verdict about the stage it is at is one byte to this port.
#define KTSTR_PROBE_PORT 0xf4
#define KTSTR_PROBE_DONE 1
#define KTSTR_PROBE_WRONG 2  // the stage came back with something else than hardware gives

#define KTSTR_PROBE_SECOND_APIC_ID 1

// Stages, written before each begins; 0: not one instruction has run. Named in probe.cpp.
#define KTSTR_PROBE_AT_PAGING 1
#define KTSTR_PROBE_AT_SPEED 2
#define KTSTR_PROBE_AT_PAGE_FAULT 3
#define KTSTR_PROBE_AT_LSTAR 4
#define KTSTR_PROBE_AT_CPUID 5
#define KTSTR_PROBE_AT_LOCAL_APIC 6
#define KTSTR_PROBE_AT_ONE_SHOT 7
#define KTSTR_PROBE_AT_TSC_DEADLINE 8
#define KTSTR_PROBE_AT_SECOND_CPU 9
#define KTSTR_PROBE_AT_CALL 10
#define KTSTR_PROBE_AT_REPORT 11
