// bench_dump: reading a full hash table out of guest memory, against copying the same bytes: of a synthetic
// guest, and of a running one, whose complete dumps are measured too. Asserts nothing.
#include <benchmark/benchmark.h>

#include <cstdio>
#include <cstring>
#include <vector>

#include "bench/dump/live.h"
#include "tests/introspect/bpf/bpf_guest.h"

namespace ktstr::bench {
namespace {

using introspect::test::BpfGuest;
using introspect::test::MapShape;

constexpr std::uint32_t kHashType = 1;  // BPF_MAP_TYPE_HASH
constexpr std::uint32_t kKeyBytes = 8;
constexpr std::uint32_t kValueBytes = 64;

/// A hash table of 8-byte keys and 64-byte values, as full as it can be, its elements in no order of the
/// buckets.
class FullHash {
 public:
  FullHash() : table_(guest_.add_hash(MapShape{"full", kHashType, kKeyBytes, kValueBytes, kHashEntries})) {
    auto& memory = guest_.memory();
    const auto header = static_cast<std::uint32_t>(memory.size_of("htab_elem"));
    guest_.set(table_, "bpf_htab", "elem_size", header + kKeyBytes + kValueBytes);
    for (std::uint32_t i = 0; i < kHashEntries; ++i) add(i, header);
  }

  [[nodiscard]] BpfGuest& guest() { return guest_; }
  [[nodiscard]] KernelVirt table() const { return table_; }
  /// Where key and value of each entry lie, in our address space.
  [[nodiscard]] const std::vector<const std::byte*>& places() const { return places_; }

 private:
  void add(std::uint32_t number, std::uint32_t header) {
    auto& memory = guest_.memory();
    const std::uint32_t hash = number * 2'654'435'761U;  // every bucket gets one
    const KernelVirt node = memory.allocate(header + kKeyBytes + kValueBytes);
    const KernelVirt head = guest_.bucket(table_, hash & (kHashEntries - 1));
    memory.set(node, "htab_elem", "hash_node.next", guest_.get<KernelVirt>(head));
    memory.set(node, "htab_elem", "hash", hash);
    const KernelVirt key = guest_.place(node, "htab_elem", "key");
    memory.write(key, std::uint64_t{number});
    memory.write(head, node);
    places_.push_back(memory.at(key));
  }

  BpfGuest guest_;
  KernelVirt table_;
  std::vector<const std::byte*> places_;
};

FullHash& full_hash() {
  static FullHash hash;
  return hash;
}

void count_entries(benchmark::State& state) {
  state.counters["entries/s"] =
      benchmark::Counter(static_cast<double>(state.iterations()) * kHashEntries, benchmark::Counter::kIsRate);
}

void read_hash(benchmark::State& state) {
  auto& guest = full_hash().guest();
  const auto kernel = guest.attach();
  const auto layouts = guest.layouts();
  const auto info = guest.info(full_hash().table());
  for (auto _ : state) {
    const auto contents = introspect::read_hash({kernel, layouts, info});
    if (!contents || contents->entries.size() != kHashEntries || !contents->marks.whole())
      return state.SkipWithError("not all entries were read");
    benchmark::DoNotOptimize(contents->entries.key(0).data());
  }
  count_entries(state);
}

/// The floor: keys and values copied from where they are known to be.
void copy_entries(benchmark::State& state) {
  const auto& places = full_hash().places();
  for (auto _ : state) {
    std::vector<std::byte> target(std::size_t{kHashEntries} * (kKeyBytes + kValueBytes));
    std::byte* out = target.data();
    for (const std::byte* place : places) {
      std::memcpy(out, place, kKeyBytes + kValueBytes);
      out += kKeyBytes + kValueBytes;
    }
    benchmark::DoNotOptimize(target.data());
    benchmark::ClobberMemory();
  }
  count_entries(state);
}

BENCHMARK(read_hash)->Unit(benchmark::kMillisecond);
BENCHMARK(copy_entries)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace ktstr::bench

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  const auto measured = ktstr::bench::measure_live();
  if (!measured)
    std::printf("bench_dump: no running guest was measured: %s\n", measured.error().message.c_str());
  return 0;
}
