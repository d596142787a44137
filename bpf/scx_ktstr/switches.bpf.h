/* What can be made to go wrong, and how the scheduler works otherwise. Every variable may be set by the
 * loader's arguments and, while it runs, by the host; docs/schedulers.md lists them. */
#pragma once

#include "bpf/fixture_contents.h"

#define FIXTURE_MAX_CPUS 512
#define FIXTURE_MAX_LLCS 64
#define FIXTURE_COMM_BYTES 16
#define FIXTURE_MESSAGE_BYTES 64

/* Set before load. */
const volatile u32 nr_llcs = 1;
const volatile u32 cpu_llc[FIXTURE_MAX_CPUS];
const volatile u64 rodata_number = FIXTURE_RODATA_NUMBER;

u64 slice_ns = 5000000;
s32 only_cpu = -1; /* every task that may runs on this CPU alone; -1: off */
s64 exit_code = 0; /* of exit_now */
u64 data_number = FIXTURE_DATA_NUMBER;
char error_message[FIXTURE_MESSAGE_BYTES] = "told to fail"; /* of error_now */

volatile u32 stall_tid; /* this thread is not dispatched while it is named here; 0: off */
volatile char stall_comm[FIXTURE_COMM_BYTES]; /* the same for every thread of this name; "": off */
volatile u32 drop_all;                        /* 1: forget every task that is enqueued */
volatile u32 unknown_dsq;                     /* 1: put the next task into a DSQ that nobody made */
volatile u32 error_now;                       /* 1: scx_bpf_error() with error_message */
volatile u32 exit_now;                        /* 1: scx_bpf_exit() with exit_code */
volatile u32 spin_ms;                         /* every dispatch callback spins for this long; 0: off */
volatile u32 refuse_init_task;                /* init_task fails with this errno; 0: off */
volatile u32 leak_every; /* every so many-th task goes to a DSQ that nobody empties; 0: off */

/* Counters. */
u64 enqueued, dispatched, stolen, leaked, dropped, stalled;
