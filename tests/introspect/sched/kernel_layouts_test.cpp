// The layouts against the BTF of every kernel in the cache: what real kernels are like, without running one.
#include <doctest/doctest.h>

#include <fstream>
#include <iterator>

#include "engine/kernels/kernel_store.h"
#include "introspect/kernel.h"
#include "introspect/sched/domains.h"
#include "introspect/sched/events.h"
#include "introspect/sched/rq.h"
#include "introspect/symbols/symbol_table.h"
#include "tests/skip.h"

namespace ktstr::introspect {
namespace {

struct CachedLayouts {
  std::string release;
  std::string config;  ///< text of the configuration
  std::shared_ptr<const KernelDebugInfo> info;

  [[nodiscard]] bool has(std::string_view option) const {
    return config.find("\n" + std::string(option) + "=y\n") != std::string::npos;
  }
};

std::vector<CachedLayouts> cached_kernels() {
  std::vector<CachedLayouts> kernels;
  const auto store = engine::KernelStore::open();
  const auto listing = store ? store->list() : Result<engine::KernelStore::Listing>(store.error());
  if (!listing) return kernels;
  for (const auto& cached : listing->kernels) {
    if (cached.config.empty()) continue;
    std::ifstream config(cached.config);
    const std::string text(std::istreambuf_iterator<char>(config), {});
    auto info = KernelDebugInfo::load(cached.symbols, cached.btf);
    REQUIRE(info.has_value());
    kernels.push_back({cached.directory.filename(), text, *info});
  }
  return kernels;
}

}  // namespace

TEST_CASE("every layout resolves on every cached kernel, as its configuration says") {
  const auto kernels = cached_kernels();
  if (kernels.empty()) SKIP_TEST("no kernel with a known configuration in the cache");
  for (const auto& kernel : kernels) {
    CAPTURE(kernel.release);
    const auto& btf = kernel.info->btf();
    const auto& symbols = kernel.info->symbols();
    const auto rq = resolve_layout<RqLayout>(btf);
    REQUIRE(rq.has_value());
    CHECK(rq->sd.present());
    CHECK(rq->place<&CpuSnapshot::scx_flags>().present() == kernel.has("CONFIG_SCHED_CLASS_EXT"));
    CHECK(rq->place<&RqSchedstat::yld_count>().present() == kernel.has("CONFIG_SCHEDSTATS"));
    CHECK(rq->place<&RqSchedstat::run_delay>().present() == kernel.has("CONFIG_SCHED_INFO"));
    CHECK(symbols.address("runqueues").has_value());

    const auto domain = resolve_layout<SchedDomainLayout>(btf);
    REQUIRE(domain.has_value());
    CHECK(domain->name_pointer.present());
    CHECK(Reader<SchedDomainStats, "sched_domain">().resolve(btf).has_value() ==
          kernel.has("CONFIG_SCHEDSTATS"));
    CHECK(resolve_layout<StaticKeyLayout>(btf).has_value());
    CHECK(symbols.address("sched_schedstats").has_value() == kernel.has("CONFIG_SCHEDSTATS"));
  }
}

TEST_CASE("every cached kernel with sched_ext shows all of its event counters") {
  const auto kernels = cached_kernels();
  if (kernels.empty()) SKIP_TEST("no kernel with a known configuration in the cache");
  for (const auto& kernel : kernels) {
    if (!kernel.has("CONFIG_SCHED_CLASS_EXT")) continue;
    CAPTURE(kernel.release);
    const auto& btf = kernel.info->btf();
    const auto events = EventLayout::resolve(btf);
    REQUIRE(events.has_value());
    const auto counters = events->counters(std::vector<std::byte>(events->size()));
    std::size_t shown = counters.other.size();
    for_each_field<ScxEventCounters>([&](const auto& field) {
      if constexpr (std::is_same_v<std::remove_cvref_t<decltype(counters.*field.member)>,
                                   std::optional<std::int64_t>>)
        shown += (counters.*field.member).has_value();
    });
    CHECK(shown == btf.members(*btf.find_struct("scx_event_stats")).size());
    CHECK(number_of(counters, "select_cpu_fallback").has_value());
    CHECK(number_of(counters, "dispatch_keep_last").has_value());
    CHECK(number_of(counters, "bypass_duration").has_value());

    const auto sched = resolve_layout<ScxSchedLayout>(btf);
    REQUIRE(sched.has_value());
    CHECK(sched->pcpu.present() != sched->event_stats_cpu.present());
    CHECK(kernel.info->symbols().address("scx_root").has_value());
  }
}

TEST_CASE("one run queue is one read of at most a few pages on every cached kernel") {
  const auto kernels = cached_kernels();
  if (kernels.empty()) SKIP_TEST("no kernel with a known configuration in the cache");
  for (const auto& kernel : kernels) {
    CAPTURE(kernel.release);
    const auto rq = resolve_layout<RqLayout>(kernel.info->btf()).value();
    CHECK(rq.fields_end() <= rq.size());
    CHECK(rq.fields_end() - rq.fields_begin() < 8192);
  }
}

}  // namespace ktstr::introspect
