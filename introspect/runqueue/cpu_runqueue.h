// CpuRunqueue: what runs and waits on one CPU, in the kernel's own scheduling classes (kernel/sched/sched.h).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/describe.h"

namespace ktstr::introspect {

/// A task on a fair queue. Virtual times are comparable within one cfs_rq only. vlag_ns is what the kernel
/// would compute now: the queue's average virtual runtime less the task's own; positive for one that got too
/// little. Absent where that average is.
struct FairTask {
  std::int32_t pid = 0;
  std::string comm;
  std::uint64_t task_kva = 0;
  std::uint64_t cfs_rq_kva = 0;
  bool running = false;
  std::uint64_t weight = 0;
  std::uint64_t vruntime_ns = 0;
  std::optional<std::int64_t> vlag_ns{};
  std::uint64_t deadline_ns = 0;
  std::optional<std::uint64_t> slice_ns{};
  std::optional<bool> delayed{};

  static consteval auto describe() {
    using T = FairTask;
    return record("a task on a fair queue", field<&T::pid>("thread id"), field<&T::comm>("name"),
                  field<&T::task_kva>("address of its task_struct"),
                  field<&T::cfs_rq_kva>("address of the queue: virtual times are of one queue"),
                  field<&T::running>("whether it is the one that the queue has running"),
                  field<&T::weight>("its load weight, as the kernel scales it")
                      .from("sched_entity", {"h_load.weight", "load.weight"}),  // all on one queue: 7.3
                  field<&T::vruntime_ns>("virtual runtime, ns").from("sched_entity", {"vruntime"}),
                  field<&T::vlag_ns>("the queue's average virtual runtime less its own, ns"),
                  field<&T::deadline_ns>("virtual deadline, ns").from("sched_entity", {"deadline"}),
                  field<&T::slice_ns>("time slice that it asks for, ns").from("sched_entity", {"slice"}),
                  field<&T::delayed>("whether it sleeps already and is kept on the queue for its lag")
                      .from("sched_entity", {"sched_delayed"}));
  }
};

/// rq->cfs. `base_vruntime_ns` is what the queue's sums are relative to: zero_vruntime or min_vruntime, as
/// `base_member` says.
struct FairQueue {
  std::uint32_t nr_queued = 0;
  std::optional<std::uint32_t> nr_runnable{};
  std::uint64_t base_vruntime_ns = 0;
  std::string base_member;
  std::optional<std::uint64_t> avg_vruntime_ns{};
  std::vector<FairTask> tasks;

  static consteval auto describe() {
    using T = FairQueue;
    return record("the fair class's queue of one CPU",
                  field<&T::nr_queued>("tasks on it and on those of its groups, the running one included")
                      .from("cfs_rq", {"h_nr_queued", "h_nr_running"}),  // renamed in 6.14
                  field<&T::nr_runnable>("of these, without delayed ones").from("cfs_rq", {"h_nr_runnable"}),
                  field<&T::base_vruntime_ns>("what the queue's sums are relative to, ns"),
                  field<&T::base_member>("the kernel's name of that: zero_vruntime or min_vruntime"),
                  field<&T::avg_vruntime_ns>("average virtual runtime of its entities, by weight, ns"),
                  field<&T::tasks>("its tasks: of each queue the running one, then by virtual deadline"));
  }
};

struct RtTask {
  std::int32_t pid = 0;
  std::string comm;
  std::uint64_t task_kva = 0;
  bool running = false;
  std::uint32_t priority = 0;

  static consteval auto describe() {
    using T = RtTask;
    return record("a task on a real-time queue", field<&T::pid>("thread id").from("task_struct"),
                  field<&T::comm>("name").from("task_struct"),
                  field<&T::task_kva>("address of its task_struct"),
                  field<&T::running>("whether it is the CPU's current task"),
                  field<&T::priority>("real-time priority, 1 to 99, boosts included"));
  }
};

/// rq->rt.
struct RtQueue {
  std::uint32_t nr_running = 0;
  std::vector<RtTask> tasks;

  static consteval auto describe() {
    using T = RtQueue;
    return record(
        "the real-time class's queue of one CPU",
        field<&T::nr_running>("tasks on it, the running one included").from("rq", {"rt.rt_nr_running"}),
        field<&T::tasks>("its tasks, the highest priority first"));
  }
};

/// A deadline entity: a task, or a server, which lets other classes run in its place.
struct DeadlineTask {
  std::optional<std::int32_t> pid{};
  std::string comm;
  std::optional<std::uint64_t> task_kva{};
  bool running = false;
  std::uint64_t deadline_ns = 0;
  std::int64_t runtime_left_ns = 0;
  std::uint64_t period_ns = 0;

  static consteval auto describe() {
    using T = DeadlineTask;
    return record(
        "a task or server on a deadline queue", field<&T::pid>("thread id; absent for a server"),
        field<&T::comm>("name; of a server the member of struct rq that it is"),
        field<&T::task_kva>("address of its task_struct; absent for a server"),
        field<&T::running>("whether it is the CPU's current task"),
        field<&T::deadline_ns>("absolute deadline on the CPU's clock, ns")
            .from("sched_dl_entity", {"deadline"}),
        field<&T::runtime_left_ns>("what is left of its budget, ns").from("sched_dl_entity", {"runtime"}),
        field<&T::period_ns>("its period, ns").from("sched_dl_entity", {"dl_period"}));
  }
};

/// rq->dl.
struct DeadlineQueue {
  std::uint32_t nr_running = 0;
  std::vector<DeadlineTask> tasks;

  static consteval auto describe() {
    using T = DeadlineQueue;
    return record("the deadline class's queue of one CPU",
                  field<&T::nr_running>("entities on it, servers included").from("rq", {"dl.dl_nr_running"}),
                  field<&T::tasks>("its entities, the earliest deadline first"));
  }
};

/// One struct rq. Absent: the kernel has no such member, or it could not be read.
struct CpuRunqueue {
  std::uint32_t cpu = 0;
  std::optional<bool> online{};
  std::uint32_t nr_running = 0;
  std::optional<std::uint32_t> nr_ext{};
  std::uint64_t nr_switches = 0;
  std::uint64_t clock_ns = 0;
  std::optional<std::int32_t> curr_pid{};
  std::optional<std::string> curr_comm{};
  std::optional<std::string> curr_class{};
  std::optional<std::uint64_t> curr_kva{};
  FairQueue fair;
  RtQueue rt;
  DeadlineQueue deadline;
  bool truncated = false;
  std::vector<std::string> problems;

  static consteval auto describe() {
    using T = CpuRunqueue;
    return record("what runs and waits on one CPU", field<&T::cpu>("CPU number"),
                  field<&T::online>("whether the CPU is online").from("rq"),
                  field<&T::nr_running>("runnable tasks of all classes, the running one included").from("rq"),
                  field<&T::nr_ext>("of these, tasks of sched_ext; absent on a kernel without it")
                      .from("rq", {"scx.nr_running"}),
                  field<&T::nr_switches>("context switches since boot").from("rq"),
                  field<&T::clock_ns>("the run queue's clock, ns").from("rq", {"clock"}),
                  field<&T::curr_pid>("the running task; 0 is the idle task"),
                  field<&T::curr_comm>("its name"), field<&T::curr_class>("its scheduling class"),
                  field<&T::curr_kva>("address of its task_struct"),
                  field<&T::fair>("the fair class (EEVDF)"), field<&T::rt>("the real-time class"),
                  field<&T::deadline>("the deadline class"),
                  field<&T::truncated>("whether more tasks were queued than are shown"),
                  field<&T::problems>("what could not be followed, and why"));
  }
};

}  // namespace ktstr::introspect
