// The layouts against the BTF of every kernel in the cache: what real kernels are like, without running one.
#include <doctest/doctest.h>

#include "engine/kernels/kernel_store.h"
#include "introspect/kernel.h"
#include "introspect/scx/scx_layouts.h"
#include "introspect/symbols/symbol_table.h"
#include "introspect/task/task_list.h"
#include "introspect/task/task_reader.h"
#include "introspect/walk/xarray.h"
#include "tests/skip.h"

namespace ktstr::introspect {

TEST_CASE("sched_ext and task layouts resolve on every cached kernel that has sched_ext") {
  const auto store = engine::KernelStore::open();
  const auto listing = store ? store->list() : Result<engine::KernelStore::Listing>(store.error());
  if (!listing || listing->kernels.empty()) SKIP_TEST("no kernel in the cache");
  int with_sched_ext = 0;
  for (const auto& cached : listing->kernels) {
    CAPTURE(cached.directory.filename().string());
    const auto info = KernelDebugInfo::load(cached.symbols, cached.btf);
    REQUIRE(info.has_value());
    const Btf& btf = (*info)->btf();
    if (!btf.find_struct("scx_sched")) continue;
    ++with_sched_ext;

    ScxLayouts scx;
    const auto resolved = scx.resolve(btf);
    CHECK_MESSAGE(resolved.has_value(), (resolved ? "" : resolved.error().message));
    CHECK(scx.sched.dsq_hash.present());
    CHECK(scx.sched.global_dsqs.present() != (scx.sched.pnode.present() && scx.pnode));
    const auto& symbols = (*info)->symbols();
    CHECK(scx.sched.place<&ScxSchedState::bypass_depth>().present() !=
          symbols.address("scx_bypass_depth").has_value());
    CHECK(scx.sched.place<&ScxSchedState::watchdog_timeout>().present() !=
          symbols.address("scx_watchdog_timeout").has_value());
    CHECK(scx.rq.place<&RqScxState::kick_sync>().present());
    CHECK(scx.rq.place<&RqScxState::rq_clock>().present());

    StructOpsLayouts struct_ops;
    XarrayLayout xarray;
    ExitInfoLayout exit_info;
    CHECK(struct_ops.resolve(btf));
    CHECK(xarray.resolve(btf));
    CHECK(exit_info.resolve(btf));
    CHECK(symbols.address("map_idr").has_value());

    const auto task = resolve_layout<TaskLayout>(btf);
    REQUIRE_MESSAGE(task.has_value(), task.error().message);
    CHECK(task->place<&TaskEnrichment::cpu>().present());
    CHECK(task->place<&TaskEnrichment::on_cpu>().present());
    CHECK(task->place<&TaskEnrichment::on_rq>().present());
    CHECK(task->place<&TaskScxState::flags>().present());
    CHECK(task->place<&TaskEnrichment::weight>().present());
    CHECK(resolve_layout<SignalLayout>(btf).has_value());
    CHECK(resolve_layout<PidLayout>(btf).has_value());
    TaskListLayout list;
    CHECK(list.resolve(btf));
    CHECK(symbols.address("ext_sched_class").has_value());
  }
  CHECK(with_sched_ext > 0);
}

}  // namespace ktstr::introspect
