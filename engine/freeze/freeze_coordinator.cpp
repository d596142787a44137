#include "engine/freeze/freeze_coordinator.h"

#include <fmt/format.h>

#include <algorithm>
#include <new>

namespace ktstr::engine {
namespace {

using Clock = FreezeCoordinator::Clock;

constexpr std::string_view kNoMemoryToRead = "out of memory while the guest was read";
constexpr std::string_view kNoMemoryToShow = "out of memory while the values that were read were shown";

introspect::FailureDumpReport without_memory(std::string_view why) {
  auto report = introspect::FailureDumpReport::placeholder(std::string(why));
  report.problems.emplace_back(why);
  return report;
}

constexpr std::string_view kNoRegisters =
    "registers are absent: the machine had ended, and its backend does not keep them";

std::uint64_t ns_since(Clock::time_point begin) {
  return static_cast<std::uint64_t>(std::chrono::nanoseconds(Clock::now() - begin).count());
}

/// "vCPU 1, 3"; empty for none.
std::string name_vcpus(const std::vector<std::size_t>& vcpus) {
  std::string text;
  for (const auto vcpu : vcpus) text += (text.empty() ? "vCPU " : ", ") + std::to_string(vcpu);
  return text;
}

/// Those that stand still and whose registers are not there all the same.
std::vector<std::size_t> unread_vcpus(const vmm::FrozenState& state) {
  std::vector<std::size_t> vcpus;
  for (std::size_t i = 0; i < state.vcpus.size(); ++i)
    if (!state.vcpus[i] && !std::ranges::binary_search(state.not_stopped, i)) vcpus.push_back(i);
  return vcpus;
}

introspect::VcpuRegSnapshot snapshot(const vmm::VcpuRegisters& registers) {
  return {.instruction_pointer = registers.rip,
          .stack_pointer = registers.rsp,
          .page_table_root = registers.cr3,
          .flags = registers.rflags,
          .user_mode = (registers.cs & 3) != 0,
          .general = registers.general};
}

introspect::FailureDumpReport complete(introspect::FailureDumpReport report, const CaptureRequest& request,
                                       std::uint64_t stop_ns, Duration frozen) {
  auto& origin = report.origin;
  origin.cause = request.cause;
  origin.name = request.name;
  origin.detail = request.detail;
  origin.elapsed_ns = static_cast<std::uint64_t>(std::max<std::int64_t>(0, request.elapsed.ns));
  origin.stop_ns = stop_ns;
  origin.frozen_ns = static_cast<std::uint64_t>(frozen.ns);
  return report;
}

}  // namespace

Result<FrozenMachine> FrozenMachine::freeze(vmm::Machine& machine, Duration deadline) {
  return FrozenMachine(machine, KTSTR_TRY(machine.freeze(deadline)));
}

FrozenMachine::~FrozenMachine() {
  if (machine_) static_cast<void>(machine_->thaw());
}

Status FrozenMachine::thaw() {
  return machine_ ? std::exchange(machine_, nullptr)->thaw() : ok();
}

std::vector<std::optional<introspect::VcpuRegSnapshot>> register_snapshots(const vmm::FrozenState& state) {
  std::vector<std::optional<introspect::VcpuRegSnapshot>> snapshots;
  for (const auto& vcpu : state.vcpus)
    vcpu ? snapshots.emplace_back(snapshot(*vcpu)) : snapshots.emplace_back(std::nullopt);
  return snapshots;
}

FreezeCoordinator::FreezeCoordinator(vmm::Machine& machine, CaptureState capture_state,
                                     ReadExitKind read_exit_kind, const FreezeOptions& options)
    : machine_(machine),
      capture_state_(std::move(capture_state)),
      read_exit_kind_(std::move(read_exit_kind)),
      options_(options) {}

introspect::FailureDump FreezeCoordinator::degraded(const vmm::FrozenState& state,
                                                    Clock::time_point begin) const {
  introspect::DegradedFailureDumpReport report;
  report.reason =
      fmt::format("{} (within {}; {} of {} vCPUs stopped", introspect::kReasonDegradedRendezvousTimeout,
                  format_duration(options_.stop_deadline), state.vcpus.size() - state.not_stopped.size(),
                  state.vcpus.size());
  if (!state.all_stopped()) report.reason += "; not " + name_vcpus(state.not_stopped);
  report.reason += ")";
  report.vcpu_regs = register_snapshots(state);
  report.exit_kind = read_exit_kind_ ? read_exit_kind_() : std::nullopt;
  report.elapsed_ms = ns_since(begin) / 1'000'000;
  return report;
}

FreezeCoordinator::Frozen FreezeCoordinator::look(const vmm::FrozenState& state,
                                                  Clock::time_point begin) const {
  Frozen frozen{.stop_ns = ns_since(begin)};
  const auto deadline = Clock::now() + options_.dump_deadline.chrono();
  if (const auto unread = unread_vcpus(state); !unread.empty())
    frozen.problems.push_back("registers of " + name_vcpus(unread) + " can't be read");
  try {
    frozen.render = capture_state_(register_snapshots(state), deadline);
  } catch (const std::bad_alloc&) {
    frozen.render = [] { return without_memory(kNoMemoryToRead); };
  }
  return frozen;
}

introspect::FailureDumpReport FreezeCoordinator::render(const Frozen& frozen) {
  auto report = [&] {
    try {
      return frozen.render();
    } catch (const std::bad_alloc&) {
      return without_memory(kNoMemoryToShow);
    }
  }();
  report.problems.insert(report.problems.end(), frozen.problems.begin(), frozen.problems.end());
  return report;
}

Capture FreezeCoordinator::capture_ended(const CaptureRequest& request) const {
  const vmm::FrozenState left{machine_.last_registers()};
  auto seen = look(left, Clock::now());
  if (left.vcpus.empty()) seen.problems.emplace_back(kNoRegisters);
  return {complete(render(seen), request, 0, {}), {}, {}};
}

Result<Capture> FreezeCoordinator::capture(const CaptureRequest& request) {
  const std::lock_guard lock(mutex_);
  if (request.of_ended_machine()) return capture_ended(request);
  const auto begin = Clock::now();
  auto frozen = FrozenMachine::freeze(machine_, options_.stop_deadline);
  if (!frozen && frozen.error().code == ErrorCode::kTimeout) return Capture{degraded({}, begin), {}, {}};
  if (!frozen) return std::move(frozen.error());
  const auto& state = frozen->state();
  const bool stopped = state.all_stopped();
  const auto seen = stopped ? look(state, begin) : Frozen{};
  Capture capture;
  if (!stopped) capture.dump = degraded(state, begin);
  if (auto thawed = frozen->thaw(); !thawed) capture.thaw_problem = std::move(thawed.error());
  capture.frozen = Duration(Clock::now() - begin);
  if (stopped) capture.dump = complete(render(seen), request, seen.stop_ns, capture.frozen);
  return capture;
}

}  // namespace ktstr::engine
