// Layouts of the sched_ext structures (kernel/sched/ext*, kernel/sched/sched.h, include/linux/sched/ext.h),
// in the shapes of 6.16 to 7.3.
#pragma once

#include <optional>

#include "introspect/reader.h"
#include "introspect/scx/scx_state.h"
#include "introspect/walk/rbtree.h"
#include "introspect/walk/rhashtable.h"

namespace ktstr::introspect {

struct SchedLayout : Reader<ScxSchedState, "scx_sched"> {
  Field<KernelVirt> exit_info{*this, {"exit_info"}};
  OptionalEmbedded dsq_hash{*this, {"dsq_hash"}};
  OptionalField<KernelVirt> pcpu{*this, {"pcpu"}};                // 6.17
  OptionalField<KernelVirt> pnode{*this, {"pnode"}};              // 7.1
  OptionalField<KernelVirt> global_dsqs{*this, {"global_dsqs"}};  // to 7.0
};

struct SchedPcpuLayout : LayoutOf<"scx_sched_pcpu"> {
  OptionalEmbedded bypass_dsq{*this, {"bypass_dsq"}};  // 7.1
};

struct SchedPnodeLayout : LayoutOf<"scx_sched_pnode"> {
  Embedded global_dsq{*this, {"global_dsq"}};
};

struct DsqLayout : Reader<DsqState, "scx_dispatch_q"> {
  Embedded list{*this, {"list"}};
  Embedded priq{*this, {"priq"}};
  Embedded hash_node{*this, {"hash_node"}};
};

/// rq->scx, from the start of struct rq.
struct RqScxLayout : Reader<RqScxState, "rq"> {
  Field<KernelVirt> curr{*this, {"curr"}};
  Embedded local_dsq{*this, {"scx.local_dsq"}};
  Embedded runnable_list{*this, {"scx.runnable_list"}};
  OptionalEmbedded bypass_dsq{*this, {"scx.bypass_dsq"}};  // to 7.0
  OptionalEmbedded reject_dsq{*this, {"scx.reject_dsq"}};  // 7.3
  OptionalEmbedded rescue_dsq{*this, {"scx.rescue.dsq"}};  // 7.3
};

/// What leads from a list to its task, and the little that names a task.
struct ScxTaskLayout : Reader<RqScxState, "task_struct"> {
  Embedded runnable_node{*this, {"scx.runnable_node"}};
  Embedded dsq_list{*this, {"scx.dsq_list"}};
  Embedded dsq_priq{*this, {"scx.dsq_priq"}};
};

struct DsqListNodeLayout : LayoutOf<"scx_dsq_list_node"> {
  Embedded node{*this, {"node"}};
  Field<std::uint32_t> flags{*this, {"flags"}};
};

struct ExitInfoLayout : Reader<ScxExitRecord, "scx_exit_info"> {
  Field<KernelVirt> reason{*this, {"reason"}};
  Field<KernelVirt> backtrace{*this, {"bt"}};
  Field<std::uint32_t> backtrace_length{*this, {"bt_len"}};
  Field<KernelVirt> message{*this, {"msg"}};
  Field<KernelVirt> dump{*this, {"dump"}};
};

/// From a struct_ops map to the scheduler that was made of it (kernel/bpf/bpf_struct_ops.c).
struct StructOpsLayouts {
  struct Map : LayoutOf<"bpf_struct_ops_map"> {
    Field<std::uint32_t> type{*this, {"map.map_type"}};
    Field<KernelVirt> description{*this, {"st_ops_desc"}};
    Embedded ops{*this, {"kvalue.data"}};
  };
  struct Description : LayoutOf<"bpf_struct_ops_desc"> {
    Field<KernelVirt> struct_ops{*this, {"st_ops"}};
  };
  struct StructOps : LayoutOf<"bpf_struct_ops"> {
    Field<KernelVirt> name{*this, {"name"}};
  };
  struct SchedExtOps : LayoutOf<"sched_ext_ops"> {
    Field<KernelVirt> scheduler{*this, {"priv"}};
  };
  /// Schedulers with CPU ids of their own (7.2).
  struct SchedExtOpsCid : LayoutOf<"sched_ext_ops_cid"> {
    Field<KernelVirt> scheduler{*this, {"priv"}};
  };

  Map map;
  Description description;
  StructOps struct_ops;
  SchedExtOps ops;
  std::optional<SchedExtOpsCid> cid_ops;
  std::uint32_t map_type = 0;  ///< BPF_MAP_TYPE_STRUCT_OPS

  [[nodiscard]] Status resolve(const Btf& btf) {
    KTSTR_TRY(resolve_all(btf, {&map, &description, &struct_ops, &ops}));
    cid_ops = resolve_optional<SchedExtOpsCid>(btf);
    const auto type = btf.enumerator("BPF_MAP_TYPE_STRUCT_OPS");
    if (!type) return Error{ErrorCode::kNotFound, "no enumerator BPF_MAP_TYPE_STRUCT_OPS"};
    map_type = static_cast<std::uint32_t>(*type);
    return ok();
  }
};

/// All that ScxReader needs. What is optional here is a group that some kernel lacks.
struct ScxLayouts {
  SchedLayout sched;
  DsqLayout dsq;
  RqScxLayout rq;
  ScxTaskLayout task;
  DsqListNodeLayout list_node;
  RbtreeLayout rbtree;
  RhashtableLayout rhashtable;
  std::optional<SchedPcpuLayout> pcpu;
  std::optional<SchedPnodeLayout> pnode;
  std::uint32_t cursor_flag = 1;  ///< SCX_DSQ_LNODE_ITER_CURSOR

  /// Errors name everything that is missing.
  [[nodiscard]] Status resolve(const Btf& btf) {
    KTSTR_TRY(resolve_all(btf, {&sched, &dsq, &rq, &task, &list_node, &rbtree.root, &rbtree.node,
                                &rhashtable.table, &rhashtable.buckets}));
    pcpu = resolve_optional<SchedPcpuLayout>(btf);
    pnode = resolve_optional<SchedPnodeLayout>(btf);
    cursor_flag =
        static_cast<std::uint32_t>(btf.enumerator("SCX_DSQ_LNODE_ITER_CURSOR").value_or(cursor_flag));
    return ok();
  }
};

}  // namespace ktstr::introspect
