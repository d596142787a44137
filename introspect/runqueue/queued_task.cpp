#include "introspect/runqueue/queued_task.h"

#include "introspect/scx/text.h"

namespace ktstr::introspect::detail {

std::optional<std::string> read_name(const RunqueueReading& reading, KernelVirt task, std::int32_t& pid) {
  const auto& layout = reading.layouts.task;
  if (!reading.kernel.plausible_pointer(task)) return std::nullopt;
  const auto number = layout.pid.read(reading.kernel, task);
  const auto comm = layout.comm.read(reading.kernel, task);
  if (!number || !comm) return std::nullopt;
  pid = *number;
  return until_nul(*comm);
}

}  // namespace ktstr::introspect::detail
