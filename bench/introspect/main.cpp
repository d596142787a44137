// What looking into a guest costs: attaching, and 8-byte reads through the page tables against plain memory
// copies.
#include <benchmark/benchmark.h>

#include <cstdio>
#include <cstring>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "engine/kernels/kernel_store.h"
#include "engine/observe/machine_memory.h"
#include "introspect/kernel.h"
#include "introspect/sched/rq.h"
#include "introspect/translator.h"
#include "tests/introspect/monitor/live_guest.h"

namespace ktstr::introspect {
namespace {

constexpr Duration kFreezeDeadline = std::chrono::seconds(10);
constexpr std::size_t kAddresses = 4096;
constexpr std::uint64_t kPages =
    512;  // as many as a sample of a large guest touches; more than one cache slot's worth

/// A running guest and what is needed to attach to it again and again.
struct Subject {
  engine::CachedKernel files;
  std::unique_ptr<test::LiveGuest> guest;
  SpanMemory memory;
  std::vector<CpuContext> vcpus;

  static Result<Subject> boot() {
    Subject subject;
    const auto store = KTSTR_TRY(engine::KernelStore::open());
    subject.files = KTSTR_TRY(store.resolve(std::nullopt));
    subject.guest =
        KTSTR_TRY(test::LiveGuest::boot({.nodes = 1, .llcs = 1, .cores_per_llc = 2, .threads_per_core = 1}));
    subject.memory = engine::machine_memory(subject.guest->machine());
    // Frozen for good: the emulator must not take the CPU from what is measured.
    subject.vcpus = engine::cpu_contexts(KTSTR_TRY(subject.guest->machine().freeze(kFreezeDeadline)));
    return subject;
  }
};

Status attach(const Subject& subject, std::shared_ptr<const KernelDebugInfo> info) {
  const Kernel kernel = KTSTR_TRY(Kernel::attach(subject.memory, std::move(info), subject.vcpus));
  KTSTR_TRY(resolve_layout<RqLayout>(kernel.btf()));
  return ok();
}

Status load_and_attach(const Subject& subject) {
  auto info = KTSTR_TRY(KernelDebugInfo::load(subject.files.symbols, subject.files.btf));
  return attach(subject, std::move(info));
}

void attach_cold(benchmark::State& state, const Subject& subject) {
  for (auto _ : state)
    if (const Status status = load_and_attach(subject); !status)
      return state.SkipWithError(status.error().message.c_str());
}

void attach_warm(benchmark::State& state, const Subject& subject) {
  const auto info = KernelDebugInfo::load(subject.files.symbols, subject.files.btf);
  if (!info) return state.SkipWithError(info.error().message.c_str());
  for (auto _ : state)
    if (const Status status = attach(subject, *info); !status)
      return state.SkipWithError(status.error().message.c_str());
}

/// Offsets in RAM, 8-byte aligned, in kPages pages spread over 64 MB.
std::vector<std::uint64_t> offsets() {
  std::mt19937_64 random(1);
  std::vector<std::uint64_t> result(kAddresses);
  for (auto& offset : result) offset = (64ULL << 20) + random() % kPages * 131072 + random() % 512 * 8;
  return result;
}

void memcpy_floor(benchmark::State& state, const Subject& subject) {
  const std::byte* ram = subject.memory.spans()[0].bytes.data();
  const auto places = offsets();
  for (auto _ : state)
    for (const std::uint64_t offset : places) {
      std::uint64_t value;
      std::memcpy(&value, ram + offset, sizeof(value));
      benchmark::DoNotOptimize(value);
    }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kAddresses));
}

void read_through(benchmark::State& state, const Translator& translator, KernelVirt direct_map) {
  const auto places = offsets();
  for (auto _ : state)
    for (const std::uint64_t offset : places) {
      const auto value = translator.read<std::uint64_t>(direct_map + offset);
      if (!value) return state.SkipWithError("an address of the direct map can't be read");
      benchmark::DoNotOptimize(*value);
    }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kAddresses));
}

/// Prints as usual, and keeps the time per read for the ratios.
class RatioReporter : public benchmark::ConsoleReporter {
 public:
  void ReportRuns(const std::vector<Run>& runs) override {
    for (const Run& run : runs) times_[run.benchmark_name()] = run.GetAdjustedCPUTime();
    ConsoleReporter::ReportRuns(runs);
  }
  void print_ratio(const std::string& name, const std::string& floor) const {
    const auto time = times_.find(name), reference = times_.find(floor);
    if (time == times_.end() || reference == times_.end()) return;
    std::printf("%s / %s: %.2f\n", name.c_str(), floor.c_str(), time->second / reference->second);
  }

 private:
  std::map<std::string, double> times_;
};

int run(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  const auto subject = Subject::boot();
  if (!subject) {
    std::fprintf(stderr, "bench_introspect: %s\n", subject.error().message.c_str());
    return 1;
  }
  const Kernel& kernel = subject->guest->kernel();
  const Translator uncached(subject->memory, kernel.translator().table());
  const auto add = [&](const char* name, auto function, auto&... arguments) {
    return benchmark::RegisterBenchmark(
        name, [&, function](benchmark::State& state) { function(state, arguments...); });
  };
  const KernelVirt direct_map = kernel.direct_map(GuestPhys(0));
  add("attach_cold", attach_cold, *subject)->Unit(benchmark::kMillisecond);
  add("attach_warm", attach_warm, *subject)->Unit(benchmark::kMillisecond);
  add("memcpy_8", memcpy_floor, *subject);
  add("read_8_cached", read_through, kernel.translator(), direct_map);
  add("read_8_uncached", read_through, uncached, direct_map);
  RatioReporter reporter;
  benchmark::RunSpecifiedBenchmarks(&reporter);
  reporter.print_ratio("read_8_cached", "memcpy_8");
  reporter.print_ratio("read_8_uncached", "memcpy_8");
  return 0;
}

}  // namespace
}  // namespace ktstr::introspect

int main(int argc, char** argv) {
  return ktstr::introspect::run(argc, argv);
}
