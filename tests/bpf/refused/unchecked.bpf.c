/* A scheduler that the verifier refuses: it reads what a look-up may not have found. */
#include <vmlinux.h>

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char LICENSE[] SEC("license") = "GPL";

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 1);
  __type(key, u32);
  __type(value, u64);
} counts SEC(".maps");

SEC("struct_ops/unchecked_enqueue")
void BPF_PROG(unchecked_enqueue, struct task_struct* p, u64 enq_flags) {
  u32 key = 0;
  u64* count = bpf_map_lookup_elem(&counts, &key);
  *count += 1;
}

SEC(".struct_ops.link")
struct sched_ext_ops unchecked_ops = {.enqueue = (void*)unchecked_enqueue, .name = "unchecked"};
