#include "introspect/bpf/layouts.h"

namespace ktstr::introspect {
namespace {

template <class Layout>
Result<Layout> resolved(const Btf& btf) {
  Layout layout;
  KTSTR_TRY(layout.resolve(btf));
  return layout;
}

}  // namespace

Result<BpfLayouts> BpfLayouts::resolve(const Btf& btf) {
  BpfLayouts layouts;
  KTSTR_TRY(layouts.xarray.resolve(btf));
  KTSTR_TRY(layouts.map.resolve(btf));
  layouts.btf = resolved<BpfBtfLayout>(btf);
  layouts.array = resolved<BpfArrayLayout>(btf);
  layouts.hash = resolved<BpfHashLayout>(btf);
  layouts.local_storage = resolved<BpfLocalStorageLayout>(btf);
  layouts.ringbuf = resolved<BpfRingbufLayout>(btf);
  layouts.stack_trace = resolved<BpfStackTraceLayout>(btf);
  layouts.queue = resolved<BpfQueueLayout>(btf);
  layouts.bloom = resolved<BpfBloomLayout>(btf);
  layouts.lpm = resolved<BpfLpmLayout>(btf);
  layouts.struct_ops = resolved<BpfStructOpsLayout>(btf);
  layouts.arena = resolved<BpfArenaLayout>(btf);
  layouts.prog = resolved<BpfProgLayout>(btf);
  layouts.prog_stats = resolved<BpfProgStatsLayout>(btf);
  layouts.owner = resolved<BpfOwnerLayout>(btf);
  return layouts;
}

}  // namespace ktstr::introspect
