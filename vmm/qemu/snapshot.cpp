#include "vmm/qemu/snapshot.h"

#include <fcntl.h>
#include <sys/mman.h>

#include "engine/base/io.h"

namespace ktstr::vmm::qemu {
namespace {

Value capability(const char* name) {
  return Value{Value::Object{{"capability", Value{std::string(name)}}, {"state", Value{true}}}};
}

/// `events`: so that the end of a migration is told instead of asked for.
Status set_capabilities(Qmp& qmp, Deadline deadline) {
  Value::List capabilities{capability("x-ignore-shared"), capability("events")};
  const auto reply =
      qmp.execute("migrate-set-capabilities", {{"capabilities", Value{std::move(capabilities)}}}, deadline);
  return reply ? ok() : Status(reply.error());
}

Status migrate(Qmp& qmp, const char* command, const std::string& uri, Deadline deadline) {
  qmp.forget_migration();
  const auto begun = qmp.execute(command, {{"uri", Value{uri}}}, deadline);
  if (!begun) return begun.error();
  const auto status = KTSTR_TRY(qmp.wait_migration(deadline));
  if (status != "completed")
    return Error{ErrorCode::kUnavailable, std::string(command) + ": QEMU says it " + status};
  return ok();
}

}  // namespace

Result<Fd> save_device_state(Qmp& qmp, Deadline deadline) {
  constexpr const char* kName = "device-state";
  Fd state(::memfd_create("ktstr-device-state", MFD_CLOEXEC));
  if (!state) return system_error("create a file for the device state");
  KTSTR_TRY(set_capabilities(qmp, deadline));
  KTSTR_TRY(qmp.give_descriptor(kName, state.get(), deadline));
  if (auto saved = migrate(qmp, "migrate", std::string("fd:") + kName, deadline); !saved) {
    static_cast<void>(qmp.execute("migrate_cancel", {}, deadline));
    return std::move(saved.error()).with_context("save the device state");
  }
  return state;
}

Result<Fd> reopen_device_state(const Fd& state) {
  Fd own(::open(path_of(state.get()).c_str(), O_RDONLY | O_CLOEXEC));
  if (!own) return system_error("open the device state");
  return own;
}

Status load_device_state(Qmp& qmp, int number, Deadline deadline) {
  KTSTR_TRY(set_capabilities(qmp, deadline));
  KTSTR_TRY(migrate(qmp, "migrate-incoming", "fd:" + std::to_string(number), deadline),
            "load the device state");
  return ok();
}

}  // namespace ktstr::vmm::qemu
