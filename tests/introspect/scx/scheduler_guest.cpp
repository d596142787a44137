#include "tests/introspect/scx/scheduler_guest.h"

#include <filesystem>

#include "engine/kernels/kernel_store.h"

namespace ktstr::introspect::test {

std::optional<std::string> missing_for_scheduler(const std::optional<std::string>& kernel) {
  if (!std::filesystem::exists(SCX_KTSTR)) return "scx_ktstr is not built";
  const auto store = engine::KernelStore::open();
  if (!store) return store.error().message;
  const auto cached = store->resolve(kernel);
  return cached ? std::nullopt : std::optional(cached.error().message);
}

Result<std::unique_ptr<LiveGuest>> boot_scheduler_guest(const std::optional<std::string>& kernel) {
  return LiveGuest::boot(kSchedulerTopology, kernel,
                         {{.path = "scx_ktstr", .content = std::filesystem::path(SCX_KTSTR)}});
}

Status spawn_spinners(LiveGuest& guest, std::size_t count, const std::string& comm) {
  engine::protocol::SpawnWorkers spawn;
  spawn.work = engine::CpuSpin{};
  spawn.affinities.resize(count);
  spawn.comm = comm;
  KTSTR_TRY(guest.agent().ask(spawn));
  return ok();
}

Status attach_scx_ktstr(LiveGuest& guest, std::vector<std::string> arguments) {
  engine::protocol::AttachScheduler attach;
  attach.name = "ktstr";
  attach.program = "/scx_ktstr";
  attach.args = std::move(arguments);
  attach.timeout = std::chrono::seconds(40);
  const auto changed = KTSTR_TRY(guest.agent().ask(attach));
  if (!changed.problem) return ok();
  std::string text = *changed.problem;
  if (changed.current)
    for (const auto& line : changed.current->log) text += "\n" + line;
  return Error{ErrorCode::kGuestFailed, text};
}

}  // namespace ktstr::introspect::test
