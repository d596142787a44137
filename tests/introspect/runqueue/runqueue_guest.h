// RunqueueGuest: a synthetic guest whose run queues a test fills, in the shape of 6.12 or of 7.3.
#pragma once

#include <string>
#include <vector>

#include "introspect/runqueue/runqueue_reader.h"
#include "tests/introspect/sched/synthetic_guest.h"

namespace ktstr::introspect::test {

/// What differs between kernels. The default is the shape of 7.3.
struct RunqueueShape {
  bool sched_ext = true;
  bool hierarchical_weight = true;  ///< sched_entity.h_load and cfs_rq.sum_shift
  bool zero_vruntime = true;        ///< else min_vruntime
  const char* sum_w_vruntime = "sum_w_vruntime";
  const char* sum_weight = "sum_weight";
  const char* nr_queued = "h_nr_queued";

  [[nodiscard]] static RunqueueShape old() {
    return {.sched_ext = false,
            .hierarchical_weight = false,
            .zero_vruntime = false,
            .sum_w_vruntime = "avg_vruntime",
            .sum_weight = "avg_load",
            .nr_queued = "h_nr_running"};
  }
  [[nodiscard]] std::vector<std::byte> btf() const;
};

/// CPUs that run nothing and have nothing waiting.
class RunqueueGuest : public SyntheticGuest {
 public:
  explicit RunqueueGuest(const RunqueueShape& shape = {}, std::size_t cpus = 2);

  [[nodiscard]] KernelVirt rq(std::size_t cpu) const { return per_cpu(runqueues_, cpu); }
  [[nodiscard]] KernelVirt cfs_rq(std::size_t cpu) { return rq(cpu) + offset("rq", "cfs"); }
  template <class T>
  void set_rq(std::size_t cpu, std::string_view path, const T& value) {
    set(rq(cpu), "rq", path, value);
  }

  KernelVirt add_task(std::int32_t pid, std::string_view comm, std::string_view sched_class = "fair");
  void run(std::size_t cpu, KernelVirt task) { set_rq(cpu, "curr", task); }

  /// The entity of a task. Returns the sched_entity.
  KernelVirt set_fair(KernelVirt task, std::uint64_t weight, std::uint64_t vruntime, std::uint64_t deadline);
  KernelVirt add_group(std::uint64_t weight, std::uint64_t vruntime, KernelVirt queue);
  KernelVirt add_cfs_rq() { return allocate(size_of("cfs_rq")); }

  /// A cfs_rq whose tree holds `entities` in this order, and whose sums are the kernel's for them.
  void fill(KernelVirt cfs_rq, std::uint64_t base, const std::vector<KernelVirt>& entities,
            std::optional<KernelVirt> running = {});
  void set_queue(KernelVirt cfs_rq, std::string_view member, std::uint64_t value) {
    set(cfs_rq, "cfs_rq", member, value);
  }

  void add_rt(std::size_t cpu, KernelVirt task, std::uint32_t priority);
  void set_deadline_tree(std::size_t cpu, const std::vector<KernelVirt>& entities);
  [[nodiscard]] KernelVirt deadline_entity(KernelVirt task) { return task + offset("task_struct", "dl"); }

  [[nodiscard]] std::uint64_t offset(std::string_view structure, std::string_view path) const;

 private:
  void build_tree(KernelVirt root, std::uint64_t node_offset, const std::vector<KernelVirt>& entities);
  [[nodiscard]] std::uint64_t scaled(std::uint64_t weight) const;

  RunqueueShape shape_;
  KernelVirt runqueues_;
};

}  // namespace ktstr::introspect::test
