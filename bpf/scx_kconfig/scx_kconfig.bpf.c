/* The smallest scheduler that asks libbpf for options of the kernel: one that every x86 kernel has, and a
 * weak one that none has. */
#include <vmlinux.h>

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "bpf/scx_ktstr/kfuncs.bpf.h"

char LICENSE[] SEC("license") = "GPL";

extern u32 CONFIG_HZ __kconfig;
extern bool CONFIG_NO_KERNEL_HAS_THIS __kconfig __weak;

u32 hz_seen;
u32 weak_seen = 7;

SEC("struct_ops/kconfig_enqueue")
void BPF_PROG(kconfig_enqueue, struct task_struct* p, u64 enq_flags) {
  hz_seen = CONFIG_HZ;
  weak_seen = CONFIG_NO_KERNEL_HAS_THIS;
  scx_bpf_dsq_insert(p, SCX_DSQ_GLOBAL, SCX_SLICE_DFL, enq_flags);
}

SEC(".struct_ops.link")
struct sched_ext_ops kconfig_ops = {.enqueue = (void*)kconfig_enqueue, .name = "kconfig"};
