#include "introspect/scx/scx_layouts.h"

namespace ktstr::introspect {
namespace {

template <class Layout>
std::optional<Layout> resolve_optional(const Btf& btf) {
  auto layout = resolve_layout<Layout>(btf);
  return layout ? std::optional(std::move(*layout)) : std::nullopt;
}

}  // namespace

Status ScxLayouts::resolve(const Btf& btf) {
  KTSTR_TRY(resolve_all(btf, {&sched, &dsq, &rq, &task, &list_node, &rbtree.root, &rbtree.node,
                              &rhashtable.table, &rhashtable.buckets}));
  pcpu = resolve_optional<SchedPcpuLayout>(btf);
  pnode = resolve_optional<SchedPnodeLayout>(btf);
  cursor_flag = static_cast<std::uint32_t>(btf.enumerator("SCX_DSQ_LNODE_ITER_CURSOR").value_or(cursor_flag));
  return ok();
}

Status StructOpsLayouts::resolve(const Btf& btf) {
  KTSTR_TRY(resolve_all(btf, {&map, &description, &struct_ops, &ops}));
  cid_ops = resolve_optional<SchedExtOpsCid>(btf);
  const auto type = btf.enumerator("BPF_MAP_TYPE_STRUCT_OPS");
  if (!type) return Error{ErrorCode::kNotFound, "no enumerator BPF_MAP_TYPE_STRUCT_OPS"};
  map_type = static_cast<std::uint32_t>(*type);
  return ok();
}

}  // namespace ktstr::introspect
