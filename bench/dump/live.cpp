#include "bench/dump/live.h"

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <span>
#include <vector>

#include "bench/dump/times.h"
#include "engine/freeze/freeze_coordinator.h"
#include "introspect/bpf/hash_walk.h"
#include "introspect/bpf/map_list.h"
#include "introspect/bpf/read_map.h"
#include "introspect/dump/dump_state.h"
#include "introspect/translator.h"
#include "tests/truth/truth_machine.h"

namespace ktstr::bench {
namespace {

using namespace introspect;

constexpr int kTasks = 200;
constexpr int kBpftoolRuns = 3;
constexpr int kReads = 20;
constexpr int kDumps = 7;
constexpr double kLeastTimesBpftool = 50;
constexpr double kLeastEntriesPerSecond = 1e6;
constexpr double kMostFrozenMs = 50;

double entries_per_second(double ms) {
  return kHashEntries / ms * 1000;
}

const char* judge(bool met) {
  return met ? "ok" : "MISSED";
}

/// A guest that was stopped once, and its large hash.
struct Guest {
  std::unique_ptr<truth::TruthMachine> machine;
  Kernel kernel;
  BpfLayouts layouts;
  BpfMapInfo hash;
};

Result<Guest> boot() {
  if (const auto missing = truth::missing_for_truth()) return Error{ErrorCode::kUnavailable, *missing};
  const auto store = KTSTR_TRY(engine::KernelStore::open());
  const auto cached = KTSTR_TRY(store.resolve(std::nullopt));
  auto machine = KTSTR_TRY(truth::TruthMachine::boot(cached, {"--large-hash", std::to_string(kHashEntries)}));
  KTSTR_TRY(machine->run({"idle", std::to_string(kTasks)}));
  auto kernel = KTSTR_TRY(machine->freeze());
  auto layouts = KTSTR_TRY(BpfLayouts::resolve(kernel.btf()));
  const auto maps = KTSTR_TRY(list_bpf_maps(kernel, layouts));
  KTSTR_TRY(machine->thaw());
  const auto hash = std::ranges::find(maps.items, "large_hash", &BpfMapInfo::name);
  if (hash == maps.items.end()) return Error{ErrorCode::kNotFound, "the guest has no map large_hash"};
  return Guest{std::move(machine), std::move(kernel), std::move(layouts), *hash};
}

Result<Times> time_bpftool(Guest& guest) {
  Times times;
  for (int i = 0; i < kBpftoolRuns; ++i) {
    const auto taken = guest.machine->time_bpftool({"map", "dump", "id", std::to_string(guest.hash.id)});
    times.add(static_cast<double>(KTSTR_TRY(taken).ns) / 1e6);
  }
  return times;
}

/// Keys and values where they lie in our address space. One that crosses a page is two pieces.
Result<std::vector<std::span<const std::byte>>> find_pieces(const Guest& guest) {
  const MapReadLimits limits;
  const std::size_t bytes = guest.hash.key_size + guest.hash.value_size;
  HashWalk walk =
      KTSTR_TRY(HashWalk::open({guest.kernel, guest.layouts, guest.hash, limits}, guest.hash.value_size));
  std::vector<std::span<const std::byte>> pieces;
  const auto add = [&](KernelVirt node, auto, auto) {
    KernelVirt address = walk.value_address(node) - guest.hash.key_size;
    for (std::size_t left = bytes; left > 0;) {
      const auto page = guest.kernel.translator().translate(address);
      if (!page) return false;
      const auto size = std::min<std::size_t>(left, 4096 - address.value() % 4096);
      for (const auto& span : guest.machine->memory().spans())
        if (page->address >= span.base && page->address - span.base < span.bytes.size())
          pieces.push_back(span.bytes.subspan(page->address - span.base, size));
      address = address + size, left -= size;
    }
    return true;
  };
  ReadMarks marks;
  walk.run(kHashEntries, marks, add, [](std::size_t) {});
  return pieces;
}

void copy(const std::vector<std::span<const std::byte>>& pieces, std::size_t bytes) {
  std::vector<std::byte> target(bytes);
  std::byte* out = target.data();
  for (const auto& piece : pieces) {
    std::memcpy(out, piece.data(), piece.size());
    out += piece.size();
  }
  benchmark::DoNotOptimize(target.data());
  benchmark::ClobberMemory();
}

struct HashTimes {
  Times read;
  Times copy;
};

Result<HashTimes> time_hash(Guest& guest) {
  KTSTR_TRY(guest.machine->freeze());
  const Kernel still = guest.kernel.of_still_guest();
  const auto pieces = KTSTR_TRY(find_pieces(guest));
  HashTimes times;
  std::size_t seen = 0;
  for (int i = 0; i < kReads; ++i) {
    const Stopwatch watch(times.read);
    const auto contents = read_hash({still, guest.layouts, guest.hash});
    seen = contents ? contents->entries.size() : 0;
  }
  for (int i = 0; i < kReads; ++i) {
    const Stopwatch watch(times.copy);
    copy(pieces, std::size_t{kHashEntries} * (guest.hash.key_size + guest.hash.value_size));
  }
  KTSTR_TRY(guest.machine->thaw());
  if (seen != kHashEntries) return Error{ErrorCode::kCorrupt, fmt::format("{} entries were read", seen)};
  return times;
}

struct DumpTimes {
  Times frozen;
  Times stop;
  Times capturing;
  Times rendering;
  std::size_t maps = 0;
  std::size_t tasks = 0;
};

void note(const FailureDumpReport& report, DumpTimes& times) {
  times.frozen.add(static_cast<double>(report.origin.frozen_ns) / 1e6);
  times.stop.add(static_cast<double>(report.origin.stop_ns) / 1e6);
  times.maps = report.maps.size();
  times.tasks = report.task_enrichments.size();
}

/// As engine::GuestDumps does it, without files.
engine::FreezeCoordinator::CaptureState timed_capture(const Guest& guest, const DumpReaders& readers,
                                                      DumpTimes& times) {
  return [&](const auto& registers, auto deadline) -> engine::FreezeCoordinator::Render {
    const Stopwatch capturing(times.capturing);
    auto state = std::make_shared<CapturedState>(capture_state(
        {.kernel = guest.kernel, .readers = readers, .registers = registers, .deadline = deadline}));
    return [&times, state] {
      const Stopwatch rendering(times.rendering);
      return render_state(std::move(*state));
    };
  };
}

Result<DumpTimes> time_dumps(Guest& guest) {
  const DumpReaders readers(guest.kernel);
  DumpTimes times;
  engine::FreezeCoordinator coordinator(guest.machine->machine(), timed_capture(guest, readers, times), {});
  std::vector<engine::Capture> kept;  // as a run keeps them: what is freed the next dump would find there
  for (int i = 0; i < kDumps; ++i) {
    kept.push_back(KTSTR_TRY(coordinator.capture({})));
    const auto* report = std::get_if<FailureDumpReport>(&kept.back().dump);
    if (!report) return Error{ErrorCode::kTimeout, "the guest did not stop"};
    note(*report, times);
  }
  return times;
}

void print_hash(const Times& bpftool, const HashTimes& host) {
  const double rate = entries_per_second(host.read.median());
  const double ratio = bpftool.least() / host.read.median();
  fmt::print("bpftool map dump -j in the guest  {}: {:.0f} entries/s by the guest's clock\n", bpftool.text(),
             entries_per_second(bpftool.median()));
  fmt::print("reading it while the guest stands {}: {:.0f} entries/s (at least {:.0f}) {}\n",
             host.read.text(), rate, kLeastEntriesPerSecond, judge(rate >= kLeastEntriesPerSecond));
  fmt::print("copying the same bytes            {}: reading takes {:.1f} times as long\n", host.copy.text(),
             host.read.median() / host.copy.median());
  fmt::print("reading / bpftool at its best     {:8.0f} times as fast (at least {:.0f}) {}\n", ratio,
             kLeastTimesBpftool, judge(ratio >= kLeastTimesBpftool));
}

void print_dumps(const DumpTimes& times) {
  fmt::print("complete dump, guest stands still {} (at most {:.0f}) {}: {} maps, {} tasks\n",
             times.frozen.text(), kMostFrozenMs, judge(times.frozen.median() <= kMostFrozenMs), times.maps,
             times.tasks);
  fmt::print("  until every CPU has stopped     {}\n", times.stop.text());
  fmt::print("  capturing                       {}\n", times.capturing.text());
  fmt::print("rendering, after the thaw         {}\n", times.rendering.text());
}

}  // namespace

Status measure_live() {
  auto guest = KTSTR_TRY(boot());
  fmt::print("\na guest of 4 emulated CPUs, a HASH of {} entries, {} idle tasks; medians\n", kHashEntries,
             kTasks);
  const auto bpftool = KTSTR_TRY(time_bpftool(guest));
  const auto hash = KTSTR_TRY(time_hash(guest));
  print_hash(bpftool, hash);
  print_dumps(KTSTR_TRY(time_dumps(guest)));
  return ok();
}

}  // namespace ktstr::bench
