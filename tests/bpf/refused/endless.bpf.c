/* A scheduler that the verifier gives up on: its loop is too long to be followed, and so is the log. */
#include <vmlinux.h>

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char LICENSE[] SEC("license") = "GPL";

enum { TURNS = 200000 };
u64 sum;

SEC("struct_ops/endless_enqueue")
void BPF_PROG(endless_enqueue, struct task_struct* p, u64 enq_flags) {
  u32 bits = (u32)enq_flags;
  for (u32 i = 0; i < TURNS; ++i) {
    if (bits & (1U << (i & 31)))
      sum += i;
    else
      sum ^= bits;
    bits = bits * 1664525 + 1013904223;
  }
}

SEC(".struct_ops.link")
struct sched_ext_ops endless_ops = {.enqueue = (void*)endless_enqueue, .name = "endless"};
