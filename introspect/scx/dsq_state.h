// DsqState: one dispatch queue and the tasks on it (struct scx_dispatch_q, include/linux/sched/ext.h).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/describe.h"

namespace ktstr::introspect {

/// A DSQ at one instant. `nr` is the kernel's own count; task_kvas is what was found by walking, in the order
/// in which the tasks will be taken. Cursors that iterating BPF programs leave in the list are not tasks and
/// left out.
struct DsqState {
  std::uint64_t id = 0;
  std::string origin;  ///< "local cpu 3", "bypass cpu 3", "global node 0", "user", "reject cpu 3" ...
  std::uint32_t nr = 0;
  std::uint32_t seq = 0;
  std::vector<std::uint64_t> task_kvas;
  bool truncated = false;
  std::uint64_t dsq_kva = 0;
  std::optional<std::vector<std::uint64_t>> priq_task_kvas;  ///< absent for a queue without a vtime tree
  std::optional<std::string> problem;

  static consteval auto describe() {
    using T = DsqState;
    return record("a dispatch queue and its tasks",
                  field<&T::id>("DSQ id; bit 63 is set in those of the kernel's own").from("scx_dispatch_q"),
                  field<&T::origin>("where the queue was found"),
                  field<&T::nr>("tasks queued").from("scx_dispatch_q"),
                  field<&T::seq>("counts insertions").from("scx_dispatch_q"),
                  field<&T::task_kvas>("task_structs in the order of the queue"),
                  field<&T::truncated>("whether the queue was longer than what is shown"),
                  field<&T::dsq_kva>("address of the scx_dispatch_q"),
                  field<&T::priq_task_kvas>("the tasks in order of vtime, for a queue ordered so"),
                  field<&T::problem>("why the queue could not be followed to its end"));
  }
};

}  // namespace ktstr::introspect
