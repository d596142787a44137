#include "introspect/ctprof/metrics.h"

#include <doctest/doctest.h>
#include <linux/taskstats.h>

#include <cstddef>
#include <set>

namespace ktstr::introspect::ctprof {

TEST_CASE("names are unique and lead back to their rows") {
  std::set<std::string_view> names;
  for (const auto& metric : metrics()) {
    CHECK(names.insert(metric.name).second);
    CHECK(find_metric(metric.name) == &metric);
    CHECK(!metric.doc.empty());
  }
  CHECK(names.size() == 86);
  CHECK(find_metric("nr_wakeup") == nullptr);
  CHECK(find_metric("") == nullptr);
}

TEST_CASE("a file's index holds its metrics and no others") {
  std::size_t indexed = 0;
  for (const auto& [name, file, doc] : describe<SourceFile>.values) {
    std::set<std::pair<std::string_view, std::uint16_t>> places;
    for (const auto* metric : SourceIndex::of(file).all()) {
      CHECK(metric->source.file == file);
      CHECK(places.emplace(metric->source.key, metric->source.place).second);
    }
    indexed += places.size();
  }
  CHECK(indexed == metrics().size());
  CHECK(SourceIndex::of(SourceFile::kIo).find("rchar") == find_metric("rchar"));
  CHECK(SourceIndex::of(SourceFile::kIo).find("wait_sum") == nullptr);
}

TEST_CASE("the kind decides rule and unit") {
  CHECK(find_metric("wait_sum")->rule() == Rule::kSumNs);
  CHECK(find_metric("wait_max")->rule() == Rule::kMaxPeak);
  CHECK(find_metric("cpu_affinity")->rule() == Rule::kAffinity);
  CHECK(unit_of(find_metric("hiwater_rss_bytes")->kind()) == "bytes");
  CHECK(unit_of(find_metric("nr_wakeups")->kind()).empty());
}

TEST_CASE("offsets are those of the system's struct taskstats, as far as it goes") {
  const auto place = [](std::string_view name) { return find_metric(name)->source.place; };
  CHECK(place("cpu_delay_count") == offsetof(taskstats, cpu_count));
  CHECK(place("swapin_delay_total_ns") == offsetof(taskstats, swapin_delay_total));
  CHECK(place("freepages_delay_count") == offsetof(taskstats, freepages_count));
  CHECK(place("thrashing_delay_total_ns") == offsetof(taskstats, thrashing_delay_total));
  CHECK(place("compact_delay_count") == offsetof(taskstats, compact_count));
  CHECK(place("wpcopy_delay_total_ns") == offsetof(taskstats, wpcopy_delay_total));
  CHECK(place("hiwater_rss_bytes") == offsetof(taskstats, hiwater_rss));
  CHECK(place("hiwater_vm_bytes") == offsetof(taskstats, hiwater_vm));
}

}  // namespace ktstr::introspect::ctprof
