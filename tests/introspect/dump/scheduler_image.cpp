#include "tests/introspect/dump/scheduler_image.h"

#include "engine/observe/machine_memory.h"
#include "introspect/memory_image.h"
#include "tests/introspect/scx/scheduler_guest.h"

namespace ktstr::introspect::test {
namespace {

constexpr std::size_t kSpinners = 8;  // more than CPUs: some wait in queues

}  // namespace

Status save_scheduler_image(const std::filesystem::path& path, const std::optional<std::string>& kernel) {
  const auto guest = KTSTR_TRY(boot_scheduler_guest(kernel));
  KTSTR_TRY(attach_scx_ktstr(*guest, {}));
  KTSTR_TRY(spawn_spinners(*guest, kSpinners, "spinner"));
  const auto frozen = KTSTR_TRY(guest->machine().freeze(kFreezeDeadline));
  return save_memory_image(path, engine::machine_memory(guest->machine()), engine::cpu_contexts(frozen));
}

}  // namespace ktstr::introspect::test
