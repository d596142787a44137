// The BPF layouts against the BTF of every kernel in the cache.
#include <doctest/doctest.h>

#include "engine/kernels/kernel_store.h"
#include "introspect/bpf/layouts.h"
#include "tests/skip.h"

namespace ktstr::introspect {

TEST_CASE("every BPF layout resolves on every cached kernel") {
  const auto store = engine::KernelStore::open();
  const auto listing = store ? store->list() : Result<engine::KernelStore::Listing>(store.error());
  if (!listing || listing->kernels.empty()) SKIP_TEST("no kernel in the cache");
  for (const auto& cached : listing->kernels) {
    CAPTURE(cached.directory);
    const Btf btf = Btf::load(cached.btf).value();
    const auto layouts = BpfLayouts::resolve(btf);
    REQUIRE(layouts.has_value());
    CHECK(layouts->btf.has_value());
    CHECK(layouts->array.has_value());
    CHECK(layouts->hash.has_value());
    CHECK(layouts->local_storage.has_value());
    CHECK(layouts->ringbuf.has_value());
    CHECK(layouts->stack_trace.has_value());
    CHECK(layouts->queue.has_value());
    CHECK(layouts->bloom.has_value());
    CHECK(layouts->lpm.has_value());
    CHECK(layouts->struct_ops.has_value());
    CHECK(layouts->arena.has_value());
    CHECK(layouts->prog.has_value());
    CHECK(layouts->prog_stats.has_value());
    CHECK(layouts->owner.has_value());
    CHECK(layouts->map.absences().empty());
  }
}

}  // namespace ktstr::introspect
