// Layouts of the kernel's own run queues (kernel/sched/sched.h, include/linux/sched.h), 6.12 to 7.3.
#pragma once

#include "introspect/reader.h"
#include "introspect/runqueue/cpu_runqueue.h"
#include "introspect/walk/rbtree.h"

namespace ktstr::introspect {

struct RunqueueLayout : Reader<CpuRunqueue, "rq"> {
  Field<KernelVirt> curr{*this, {"curr"}};
  Embedded cfs{*this, {"cfs"}};
  Embedded rt_active{*this, {"rt.active"}};
  Embedded dl_root{*this, {"dl.root.rb_root"}};
  OptionalEmbedded fair_server{*this, {"fair_server"}};  // 6.12
  OptionalEmbedded ext_server{*this, {"ext_server"}};    // 7.0
};

/// struct cfs_rq. Its sums are Σ (v_i - base) w_i and Σ w_i over the entities in the tree.
struct CfsRqLayout : Reader<FairQueue, "cfs_rq"> {
  OptionalField<std::uint64_t> zero_vruntime{*this, {"zero_vruntime"}};  // 6.19, and stable kernels
  OptionalField<std::uint64_t> min_vruntime{*this, {"min_vruntime"}};    // before
  OptionalField<std::int64_t> sum_w_vruntime{*this, {"sum_w_vruntime", "avg_vruntime"}};
  OptionalField<std::uint64_t> sum_weight{*this, {"sum_weight", "avg_load"}};
  OptionalField<std::uint32_t> sum_shift{*this, {"sum_shift"}};  // 7.1
  Embedded tree{*this, {"tasks_timeline.rb_root"}};
  Field<KernelVirt> curr{*this, {"curr"}};
};

struct SchedEntityLayout : Reader<FairTask, "sched_entity"> {
  Embedded run_node{*this, {"run_node"}};
  OptionalField<std::uint8_t> on_rq{*this, {"on_rq"}};  // an int before 6.12
  OptionalField<std::uint32_t> on_rq_int{*this, {"on_rq"}};
  OptionalField<KernelVirt> group_queue{*this, {"my_q"}};  // CONFIG_FAIR_GROUP_SCHED
};

struct RtEntityLayout : LayoutOf<"sched_rt_entity"> {
  Embedded run_list{*this, {"run_list"}};
  OptionalField<KernelVirt> group_queue{*this, {"my_q"}};  // CONFIG_RT_GROUP_SCHED
};

struct RtPrioArrayLayout : LayoutOf<"rt_prio_array"> {
  Embedded queue{*this, {"queue"}};
};

struct DeadlineEntityLayout : Reader<DeadlineTask, "sched_dl_entity"> {
  Embedded node{*this, {"rb_node"}};
};

/// What leads from an entity of any class to its task, and the little that names a task.
struct QueuedTaskLayout : Reader<RtTask, "task_struct"> {
  Field<KernelVirt> sched_class{*this, {"sched_class"}};
  Embedded fair{*this, {"se"}};
  Embedded rt{*this, {"rt"}};
  Embedded deadline{*this, {"dl"}};
};

struct RunqueueLayouts {
  RunqueueLayout rq;
  CfsRqLayout cfs_rq;
  SchedEntityLayout fair;
  RtEntityLayout rt;
  RtPrioArrayLayout rt_array;
  DeadlineEntityLayout deadline;
  QueuedTaskLayout task;
  RbtreeLayout rbtree;

  /// Errors name everything that is missing.
  [[nodiscard]] Status resolve(const Btf& btf) {
    KTSTR_TRY(resolve_all(
        btf, {&rq, &cfs_rq, &fair, &rt, &rt_array, &deadline, &task, &rbtree.root, &rbtree.node}));
    if (cfs_rq.zero_vruntime.present() || cfs_rq.min_vruntime.present()) return ok();
    return Error{ErrorCode::kNotFound,
                 "struct cfs_rq: no member zero_vruntime (tried zero_vruntime, min_vruntime)"};
  }
};

}  // namespace ktstr::introspect
