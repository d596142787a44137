/* A scheduler by virtual time with one DSQ per LLC, which can be made to fail in every way that one can. */
#include <vmlinux.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "bpf/scx_ktstr/faults.bpf.h"
#include "bpf/scx_ktstr/fill.bpf.h"
#include "bpf/scx_ktstr/kfuncs.bpf.h"
#include "bpf/scx_ktstr/maps.bpf.h"

char LICENSE[] SEC("license") = "GPL";

enum { NICE_0_WEIGHT = 100 };

u64 vtime_now;

static u32 llc_of(s32 cpu) {
  u32 llc = cpu >= 0 && cpu < FIXTURE_MAX_CPUS ? cpu_llc[cpu] : 0;
  return llc < nr_llcs ? llc : 0;
}

SEC("struct_ops/ktstr_select_cpu")
s32 BPF_PROG(ktstr_select_cpu, struct task_struct* p, s32 prev_cpu, u64 wake_flags) {
  if (has_fault(p)) return prev_cpu;
  bool is_idle = false;
  s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &is_idle);
  if (is_idle) scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL, slice_ns, 0);
  return cpu;
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
