// ScxGuest: a synthetic guest with sched_ext's structures, empty lists and no scheduler, to be filled by a
// test.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "tests/introspect/sched/synthetic_btf.h"
#include "tests/introspect/sched/synthetic_guest.h"

namespace ktstr::introspect::test {

/// What differs between kernels: the shape of 7.2, or that of 6.16.
enum class ScxShape { kNew, kOld };

class ScxGuest : public SyntheticGuest {
 public:
  explicit ScxGuest(ScxShape shape = ScxShape::kNew, std::size_t cpus = 2);

  [[nodiscard]] KernelVirt rq(std::size_t cpu) const { return per_cpu(symbol("runqueues"), cpu); }
  /// Where a member of a structure lies.
  [[nodiscard]] KernelVirt member(KernelVirt base, std::string_view structure, std::string_view path) const;

  /// A thread of init_task's list, in a process of its own.
  KernelVirt add_task(std::int32_t pid, std::string_view comm);
  /// Another thread of the process of `leader`.
  KernelVirt add_thread(KernelVirt leader, std::int32_t pid, std::string_view comm);

  /// Loads a scheduler "test" with one NUMA node and an empty table of DSQs of eight buckets.
  KernelVirt load_scheduler();
  /// A DSQ in bucket `bucket` of the scheduler's table.
  KernelVirt add_user_dsq(std::uint64_t id, std::size_t bucket);
  /// Appends a task to a DSQ's list.
  void queue(KernelVirt dsq, KernelVirt task);
  /// Makes `tasks` the DSQ's vtime tree: the first is the root, the others its left and right child.
  void set_tree(KernelVirt dsq, const std::vector<KernelVirt>& tasks);
  void make_runnable(std::size_t cpu, KernelVirt task);

  /// Fills the scheduler's exit information.
  KernelVirt set_exit(KernelVirt sched, std::uint32_t kind, std::string_view message);
  /// Registers a struct_ops map that refers to `sched`.
  void add_struct_ops_map(KernelVirt sched, std::string_view name = "sched_ext_ops");

  void link_list(KernelVirt head, KernelVirt node);
  void init_list(KernelVirt head);

 private:
  void init_dsq(KernelVirt dsq, std::uint64_t id);

  ScxShape shape_;
  KernelVirt buckets_;
};

}  // namespace ktstr::introspect::test
