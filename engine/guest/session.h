// Session: serves one runner's requests until it says shutdown or goes away. Knows nothing of PID 1's duties.
#pragma once

#include <cstdint>
#include <string>

#include "engine/base/fd.h"
#include "engine/base/result.h"
#include "engine/guest/cgroup.h"
#include "engine/guest/find_topology.h"
#include "engine/guest/pinned_maps.h"
#include "engine/guest/scheduler_control.h"
#include "engine/guest/worker_set.h"
#include "engine/protocol/frame.h"
#include "engine/protocol/messages.h"

namespace ktstr::engine::guest {

class Session {
 public:
  /// `boot_ns`: CLOCK_BOOTTIME when the agent began.
  Session(Fd channel, CgroupTree cgroups, std::uint64_t boot_ns);

  /// Says Hello, then serves. Returns after Shutdown was answered or the channel ended; either way every
  /// worker and every cgroup of the session is gone then. Errors: a damaged channel, or what could not be
  /// removed.
  [[nodiscard]] Status run();

 private:
  [[nodiscard]] Status say_hello();
  [[nodiscard]] Status serve();
  [[nodiscard]] Status answer(const std::string& payload);
  [[nodiscard]] Status send(std::uint64_t id, protocol::Reply reply);
  [[nodiscard]] Status clean_up();
  template <class Request>
  [[nodiscard]] protocol::Reply carry_out(Request& request);

  auto handle(const protocol::AddCgroup& request) { return cgroups_.create(request); }
  [[nodiscard]] Result<protocol::Stopped> handle(const protocol::RemoveCgroup& request);
  [[nodiscard]] Status handle(const protocol::SetCpuset& request);
  [[nodiscard]] Result<protocol::Spawned> handle(protocol::SpawnWorkers& request);
  [[nodiscard]] Result<protocol::Stopped> handle(const protocol::StopWorkers& request);
  [[nodiscard]] Status handle(const protocol::SetAffinity& request);
  [[nodiscard]] Status handle(const protocol::MoveTasks& request);
  auto handle(const protocol::FreezeCgroup& request) {
    return cgroups_.freeze(request.cgroup, request.frozen);
  }
  [[nodiscard]] Result<protocol::CgroupProcs> handle(const protocol::CaptureCgroupProcs& request);
  [[nodiscard]] Result<protocol::FileContent> handle(const protocol::ReadFile& request);
  [[nodiscard]] Status handle(const protocol::Shutdown& request);
  auto handle(const protocol::AttachScheduler& request) { return scheduler_.attach(request); }
  auto handle(const protocol::DetachScheduler& request) { return scheduler_.detach(request.timeout); }
  auto handle(const protocol::ReplaceScheduler& request) { return scheduler_.replace(request.next); }
  auto handle(const protocol::RestartScheduler&) { return scheduler_.restart(); }
  auto handle(const protocol::QueryScheduler& request) { return scheduler_.query(request.patience); }
  auto handle(const protocol::PinBpfMap& request) { return pinned_maps_.pin(request.id); }
  [[nodiscard]] Status handle(const protocol::Refresh& request);
  [[nodiscard]] Result<protocol::StatisticsSwitches> handle(const protocol::SetStatistics& request);
  [[nodiscard]] Result<protocol::Captured> handle(const protocol::CaptureThreads& request);
  [[nodiscard]] Result<protocol::CapturePart> handle(const protocol::ReadCapture& request);
  auto handle(const protocol::FindTopology&) { return find_topology("/sys/devices/system"); }
  [[nodiscard]] Status move_from_own(const std::optional<std::string>& to);

  Fd channel_;
  CgroupTree cgroups_;
  WorkerSet workers_;
  SchedulerControl scheduler_;
  PinnedMaps pinned_maps_;
  std::string capture_;  ///< the last one, compressed
  std::uint64_t boot_ns_;
  protocol::FrameReader reader_;
  bool done_ = false;
};

}  // namespace ktstr::engine::guest
