/* Functions of the kernel that the scheduler calls, as every kernel since 6.16 has them. */
#pragma once

extern s32 scx_bpf_create_dsq(u64 dsq_id, s32 node) __ksym;
extern u32 scx_bpf_nr_cpu_ids(void) __ksym;
extern s32 scx_bpf_dsq_nr_queued(u64 dsq_id) __ksym;
extern void scx_bpf_dsq_insert(struct task_struct* p, u64 dsq_id, u64 slice, u64 enq_flags) __ksym;
extern void scx_bpf_dsq_insert_vtime(struct task_struct* p, u64 dsq_id, u64 slice, u64 vtime,
                                     u64 enq_flags) __ksym;
extern bool scx_bpf_dsq_move_to_local(u64 dsq_id) __ksym;
extern s32 scx_bpf_select_cpu_dfl(struct task_struct* p, s32 prev_cpu, u64 wake_flags, bool* is_idle) __ksym;
extern s32 scx_bpf_pick_idle_cpu(const struct cpumask* allowed, u64 flags) __ksym;
extern void scx_bpf_kick_cpu(s32 cpu, u64 flags) __ksym;
extern s32 scx_bpf_task_cpu(const struct task_struct* p) __ksym;
extern void scx_bpf_error_bstr(char* format, unsigned long long* data, u32 data_bytes) __ksym;
extern void scx_bpf_exit_bstr(s64 code, char* format, unsigned long long* data, u32 data_bytes) __ksym;
extern bool bpf_cpumask_test_cpu(u32 cpu, const struct cpumask* mask) __ksym;
