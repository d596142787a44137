#include "engine/freeze/freeze_coordinator.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/freeze/frozen_machine.h"

namespace ktstr::engine {
namespace {

using Clock = FreezeCoordinator::Clock;

std::uint64_t ns_since(Clock::time_point begin) {
  return static_cast<std::uint64_t>(std::chrono::nanoseconds(Clock::now() - begin).count());
}

std::size_t count_stopped(const vmm::FrozenState& state) {
  return static_cast<std::size_t>(std::count_if(state.vcpus.begin(), state.vcpus.end(),
                                                [](const auto& vcpu) { return vcpu.has_value(); }));
}

/// "vCPU 1, 3": those that did not stop.
std::string missing_vcpus(const vmm::FrozenState& state) {
  std::string text;
  for (std::size_t i = 0; i < state.vcpus.size(); ++i)
    if (!state.vcpus[i]) text += (text.empty() ? "vCPU " : ", ") + std::to_string(i);
  return text;
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
                  format_duration(options_.stop_deadline), count_stopped(state), state.vcpus.size());
  if (const auto missing = missing_vcpus(state); !missing.empty()) report.reason += "; not " + missing;
  report.reason += ")";
  report.vcpu_regs = register_snapshots(state);
  report.exit_kind = read_exit_kind_ ? read_exit_kind_() : std::nullopt;
  report.elapsed_ms = ns_since(begin) / 1'000'000;
  return report;
}

FreezeCoordinator::Frozen FreezeCoordinator::look(const vmm::FrozenState& state,
                                                  Clock::time_point begin) const {
  const auto stop_ns = ns_since(begin);
  const auto deadline = Clock::now() + options_.dump_deadline.chrono();
  return {capture_state_(register_snapshots(state), deadline), stop_ns};
}

Capture FreezeCoordinator::capture_ended(const CaptureRequest& request) const {
  const auto seen = look({}, Clock::now());
  return {complete(seen.render(), request, 0, {}), {}, {}};
}

Result<Capture> FreezeCoordinator::capture(const CaptureRequest& request) {
  const std::lock_guard lock(mutex_);
  if (request.of_ended_machine()) return capture_ended(request);
  const auto begin = Clock::now();
  auto frozen = FrozenMachine::freeze(machine_, options_.stop_deadline);
  if (!frozen && frozen.error().code == ErrorCode::kTimeout) return Capture{degraded({}, begin), {}, {}};
  if (!frozen) return std::move(frozen.error());
  const auto& state = frozen->state();
  const bool stopped = count_stopped(state) == state.vcpus.size();
  const auto seen = stopped ? look(state, begin) : Frozen{};
  Capture capture;
  if (!stopped) capture.dump = degraded(state, begin);
  if (auto thawed = frozen->thaw(); !thawed) capture.thaw_problem = std::move(thawed.error());
  capture.frozen = Duration(Clock::now() - begin);
  if (stopped) capture.dump = complete(seen.render(), request, seen.stop_ns, capture.frozen);
  return capture;
}

}  // namespace ktstr::engine
