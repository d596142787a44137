/* What the switches do: ending on demand, tasks that go where they should not, callbacks that spin. */
#pragma once

#include "bpf/scx_ktstr/kfuncs.bpf.h"
#include "bpf/scx_ktstr/switches.bpf.h"

/* The dispatch queues. */
enum {
  DSQ_LLC = 0x100,     /* + LLC */
  DSQ_ONE_CPU = 0x200, /* emptied by only_cpu alone */
  DSQ_STALLED = 0x201, /* emptied while nothing is to be stalled */
  DSQ_LEAKED = 0x202,  /* never emptied */
  DSQ_UNKNOWN = 0x666, /* does not exist */
};

u64 enqueue_sequence;

/* Formats no argument, so that the kernel's format check has nothing to refuse. */
static void fail_with_message(void) {
  char format[] = "%s";
  unsigned long long data[] = {(unsigned long)error_message};
  scx_bpf_error_bstr(format, data, sizeof(data));
}

static void exit_as_told(void) {
  char format[] = "told to exit";
  unsigned long long data[1] = {};
  scx_bpf_exit_bstr(exit_code, format, data, 0);
}

static void end_if_told(void) {
  if (error_now) fail_with_message();
  if (exit_now) exit_as_told();
}

static bool is_named(const struct task_struct* p) {
  if (!stall_comm[0]) return false;
  for (int i = 0; i < FIXTURE_COMM_BYTES; ++i) {
    if (p->comm[i] != stall_comm[i]) return false;
    if (!p->comm[i]) return true;
  }
  return true;
}

static bool is_to_stall(const struct task_struct* p) {
  return (stall_tid && p->pid == stall_tid) || is_named(p);
}

static bool is_to_leak(void) {
  return leak_every && __sync_fetch_and_add(&enqueue_sequence, 1) % leak_every == 0;
}

static bool is_for_one_cpu(const struct task_struct* p) {
  return only_cpu >= 0 && bpf_cpumask_test_cpu(only_cpu, p->cpus_ptr);
}

/* Whether a task must go through enqueue: a direct dispatch would pass by a fault. */
static bool has_fault(const struct task_struct* p) {
  return drop_all || unknown_dsq || leak_every || is_to_stall(p) || is_for_one_cpu(p);
}

/* Takes the task if a fault wants it. */
static bool enqueue_faulty(struct task_struct* p, u64 enq_flags) {
  if (drop_all) {
    __sync_fetch_and_add(&dropped, 1);
    return true;
  }
  if (unknown_dsq) {
    scx_bpf_dsq_insert(p, DSQ_UNKNOWN, slice_ns, enq_flags);
    return true;
  }
  if (is_to_stall(p)) {
    __sync_fetch_and_add(&stalled, 1);
    scx_bpf_dsq_insert(p, DSQ_STALLED, slice_ns, enq_flags);
    return true;
  }
  if (is_to_leak()) {
    __sync_fetch_and_add(&leaked, 1);
    scx_bpf_dsq_insert(p, DSQ_LEAKED, slice_ns, enq_flags);
    return true;
  }
  if (is_for_one_cpu(p)) {
    scx_bpf_dsq_insert(p, DSQ_ONE_CPU, slice_ns, enq_flags);
    scx_bpf_kick_cpu(only_cpu, SCX_KICK_IDLE);
    return true;
  }
  return false;
}

static long spin_once(u64 index, u64* end) {
  return bpf_ktime_get_ns() >= *end;
}

static void spin_if_told(void) {
  u32 ms = spin_ms;
  if (!ms) return;
  u64 end = bpf_ktime_get_ns() + ms * 1000000ull;
  for (int i = 0; i < 64 && bpf_ktime_get_ns() < end; ++i) bpf_loop(1 << 23, spin_once, &end, 0);
}
