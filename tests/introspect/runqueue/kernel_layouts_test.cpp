// The layouts against the BTF of every kernel in the cache, those without sched_ext included.
#include <doctest/doctest.h>

#include "engine/kernels/kernel_store.h"
#include "introspect/kernel.h"
#include "introspect/runqueue/runqueue_layouts.h"
#include "introspect/symbols/symbol_table.h"
#include "tests/skip.h"

namespace ktstr::introspect {

TEST_CASE("the run queues' layouts resolve on every cached kernel") {
  const auto store = engine::KernelStore::open();
  const auto listing = store ? store->list() : Result<engine::KernelStore::Listing>(store.error());
  if (!listing || listing->kernels.empty()) SKIP_TEST("no kernel in the cache");
  for (const auto& cached : listing->kernels) {
    CAPTURE(cached.metadata.release);
    const auto info = KernelDebugInfo::load(cached.symbols, cached.btf);
    REQUIRE(info.has_value());
    RunqueueLayouts layouts;
    const auto status = layouts.resolve((*info)->btf());
    REQUIRE_MESSAGE(status, status.error().message);
    CHECK(layouts.cfs_rq.sum_w_vruntime.present());
    CHECK(layouts.cfs_rq.sum_weight.present());
    CHECK(layouts.rq.place<&CpuRunqueue::online>().present());
    CHECK(layouts.rq.fair_server.present());
    CHECK(layouts.rq.place<&CpuRunqueue::nr_ext>().present() == cached.metadata.sched_ext);
    CHECK((layouts.fair.on_rq.present() || layouts.fair.on_rq_int.present()));
  }
}

}  // namespace ktstr::introspect
