/* A scheduler by virtual time with one DSQ per LLC, which can be made to fail in every way that one can. */
#include <vmlinux.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "bpf/scx_ktstr/kfuncs.bpf.h"
#include "bpf/scx_ktstr/maps.bpf.h"
#include "bpf/scx_ktstr/switches.bpf.h"

char LICENSE[] SEC("license") = "GPL";

enum {
  DSQ_LLC = 0x100,     /* + LLC */
  DSQ_ONE_CPU = 0x200, /* emptied by only_cpu alone */
  DSQ_STALLED = 0x201, /* emptied while nothing is to be stalled */
  DSQ_LEAKED = 0x202,  /* never emptied */
  DSQ_UNKNOWN = 0x666, /* does not exist */
};

enum { NICE_0_WEIGHT = 100, PF_KTHREAD_FLAG = 0x00200000 };

struct scx_allocator scx_task_allocator;
struct static_block __arena* static_blocks[FIXTURE_STATIC_BLOCKS];
u64 vtime_now;
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

static struct task_ctx __arena* arena_part(struct task_context* context) {
  name_arena();
  return context->data ? (struct task_ctx __arena*)context->data->payload : 0;
}

static u32 llc_of(s32 cpu) {
  u32 llc = cpu >= 0 && cpu < FIXTURE_MAX_CPUS ? cpu_llc[cpu] : 0;
  return llc < nr_llcs ? llc : 0;
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

SEC("struct_ops/ktstr_select_cpu")
s32 BPF_PROG(ktstr_select_cpu, struct task_struct* p, s32 prev_cpu, u64 wake_flags) {
  if (has_fault(p)) return prev_cpu;
  bool is_idle = false;
  s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &is_idle);
  if (is_idle) scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL, slice_ns, 0);
  return cpu;
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

/* No task may save up more than one slice of virtual time by sleeping. */
static u64 vtime_of(struct task_context* context) {
  u64 oldest = vtime_now - slice_ns;
  if ((s64)(context->vtime - oldest) < 0) context->vtime = oldest;
  return context->vtime;
}

SEC("struct_ops/ktstr_enqueue")
void BPF_PROG(ktstr_enqueue, struct task_struct* p, u64 enq_flags) {
  __sync_fetch_and_add(&enqueued, 1);
  end_if_told();
  if (enqueue_faulty(p, enq_flags)) return;

  struct task_context* context = bpf_task_storage_get(&task_contexts, p, 0, 0);
  if (!context) {
    scx_bpf_dsq_insert(p, SCX_DSQ_GLOBAL, slice_ns, enq_flags);
    return;
  }
  u32 llc = llc_of(scx_bpf_task_cpu(p));
  struct task_ctx __arena* part = arena_part(context);
  if (part) part->llc = llc;
  scx_bpf_dsq_insert_vtime(p, DSQ_LLC + llc, slice_ns, vtime_of(context), enq_flags);
  s32 idle = scx_bpf_pick_idle_cpu(p->cpus_ptr, 0);
  if (idle >= 0) scx_bpf_kick_cpu(idle, SCX_KICK_IDLE);
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

static bool take_from_other_llc(u32 own) {
  for (u32 i = 1; i < FIXTURE_MAX_LLCS && i < nr_llcs; ++i) {
    if (!scx_bpf_dsq_move_to_local(DSQ_LLC + (own + i) % nr_llcs)) continue;
    __sync_fetch_and_add(&stolen, 1);
    return true;
  }
  return false;
}

SEC("struct_ops/ktstr_dispatch")
void BPF_PROG(ktstr_dispatch, s32 cpu, struct task_struct* prev) {
  end_if_told();
  spin_if_told();
  if (!stall_tid && !stall_comm[0] && scx_bpf_dsq_move_to_local(DSQ_STALLED)) return;
  if ((only_cpu < 0 || cpu == only_cpu) && scx_bpf_dsq_move_to_local(DSQ_ONE_CPU)) return;
  u32 own = llc_of(cpu);
  if (scx_bpf_dsq_move_to_local(DSQ_LLC + own) || take_from_other_llc(own))
    __sync_fetch_and_add(&dispatched, 1);
}

SEC("struct_ops/ktstr_tick")
void BPF_PROG(ktstr_tick, struct task_struct* p) {
  end_if_told();
}

SEC("struct_ops/ktstr_running")
void BPF_PROG(ktstr_running, struct task_struct* p) {
  struct task_context* context = bpf_task_storage_get(&task_contexts, p, 0, 0);
  if (!context) return;
  context->started_ns = bpf_ktime_get_ns();
  struct task_ctx __arena* part = arena_part(context);
  if (part) part->runs += 1;
  if ((s64)(context->vtime - vtime_now) > 0) vtime_now = context->vtime;
}

SEC("struct_ops/ktstr_stopping")
void BPF_PROG(ktstr_stopping, struct task_struct* p, bool runnable) {
  struct task_context* context = bpf_task_storage_get(&task_contexts, p, 0, 0);
  if (!context) return;
  u32 weight = p->scx.weight ?: NICE_0_WEIGHT;
  context->vtime += (bpf_ktime_get_ns() - context->started_ns) * NICE_0_WEIGHT / weight;
}

SEC("struct_ops/ktstr_enable")
void BPF_PROG(ktstr_enable, struct task_struct* p) {
  struct task_context* context = bpf_task_storage_get(&task_contexts, p, 0, 0);
  if (context) context->vtime = vtime_now;
}

static int fill_slot(struct task_context* context, struct task_struct* p) {
  context->data = allocator_take(&scx_task_allocator);
  struct task_ctx __arena* part = arena_part(context);
  if (!part) return -12; /* ENOMEM */
  part->magic = FIXTURE_SLOT_MAGIC;
  part->pid = p->pid;
  for (u32 i = 0; i < sizeof(part->comm); ++i) part->comm[i] = p->comm[i];
  part->block = static_blocks[(u32)p->pid % FIXTURE_STATIC_BLOCKS];
  part->self = part;
  return 0;
}

SEC("struct_ops.s/ktstr_init_task")
s32 BPF_PROG(ktstr_init_task, struct task_struct* p, struct scx_init_task_args* args) {
  if (refuse_init_task) return -(s32)(refuse_init_task & 0xfff);
  struct task_context* context = bpf_task_storage_get(&task_contexts, p, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
  if (!context) return -12; /* ENOMEM */
  context->magic = FIXTURE_TASK_MAGIC;
  context->pid = p->pid;
  return fill_slot(context, p);
}

SEC("struct_ops/ktstr_exit_task")
void BPF_PROG(ktstr_exit_task, struct task_struct* p, struct scx_exit_task_args* args) {
  struct task_context* context = bpf_task_storage_get(&task_contexts, p, 0, 0);
  if (!context || !context->data) return;
  name_arena();
  allocator_give_back(&scx_task_allocator, context->data->tid.idx);
  context->data = 0;
}

SEC("struct_ops.s/ktstr_cgroup_init")
s32 BPF_PROG(ktstr_cgroup_init, struct cgroup* cgroup, struct scx_cgroup_init_args* args) {
  struct cgroup_context* context =
      bpf_cgrp_storage_get(&cgroup_contexts, cgroup, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
  if (!context) return -12; /* ENOMEM */
  context->magic = FIXTURE_CGROUP_MAGIC;
  context->id = cgroup->kn->id;
  context->weight = args->weight;
  return 0;
}

static int fill_static_blocks(void) {
  if (static_init(2)) return -12; /* ENOMEM */
  struct static_block __arena* before = 0;
  for (u32 i = 0; i < FIXTURE_STATIC_BLOCKS; ++i) {
    struct static_block __arena* block = static_take(sizeof(*block));
    if (!block) return -12; /* ENOMEM */
    block->number = i;
    block->words_used = sizeof(block->words) / sizeof(block->words[0]);
    block->next = before;
    for (u32 j = 0; j < sizeof(block->words) / sizeof(block->words[0]); ++j)
      block->words[j] = FIXTURE_STATIC_BASE + i * 0x10000 + j;
    static_blocks[i] = before = block;
  }
  return 0;
}

SEC("struct_ops.s/ktstr_init")
s32 BPF_PROG(ktstr_init) {
  for (u32 llc = 0; llc < FIXTURE_MAX_LLCS && llc < nr_llcs; ++llc) {
    s32 failed = scx_bpf_create_dsq(DSQ_LLC + llc, -1);
    if (failed) return failed;
  }
  s32 failed = fill_static_blocks() ?: allocator_init(&scx_task_allocator, sizeof(struct task_ctx));
  if (failed) return failed;
  return scx_bpf_create_dsq(DSQ_ONE_CPU, -1) ?: scx_bpf_create_dsq(DSQ_STALLED, -1) ?: scx_bpf_create_dsq(DSQ_LEAKED, -1);
}

SEC("struct_ops/ktstr_exit")
void BPF_PROG(ktstr_exit, struct scx_exit_info* info) {
  struct exit_record* record = bpf_ringbuf_reserve(&exits, sizeof(*record), 0);
  if (!record) return;
  record->kind = info->kind;
  record->code = info->exit_code;
  bpf_probe_read_kernel_str(record->reason, sizeof(record->reason), info->reason);
  bpf_probe_read_kernel_str(record->message, sizeof(record->message), info->msg);
  bpf_ringbuf_submit(record, 0);
}

/* Run once by the loader: fills what only a program can fill. */
SEC("raw_tp")
int fill_fixture(void* context) {
  for (u32 i = 0; i < FIXTURE_RING_RECORDS; ++i) {
    struct fixture_ring_record record = {.sequence = i, .magic = FIXTURE_RING_MAGIC, .cube = (u64)i * i * i};
    bpf_ringbuf_output(&ring, &record, sizeof(record), 0);
  }
  return bpf_get_stackid(context, &stack_traces, 0);
}

SEC(".struct_ops.link")
struct sched_ext_ops ktstr_ops = {
    .select_cpu = (void*)ktstr_select_cpu,
    .enqueue = (void*)ktstr_enqueue,
    .dispatch = (void*)ktstr_dispatch,
    .tick = (void*)ktstr_tick,
    .running = (void*)ktstr_running,
    .stopping = (void*)ktstr_stopping,
    .enable = (void*)ktstr_enable,
    .init_task = (void*)ktstr_init_task,
    .exit_task = (void*)ktstr_exit_task,
    .cgroup_init = (void*)ktstr_cgroup_init,
    .init = (void*)ktstr_init,
    .exit = (void*)ktstr_exit,
    .timeout_ms = 5000,
    .name = "ktstr",
};
