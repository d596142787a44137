// What runs and waits on each CPU.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "engine/base/table.h"
#include "engine/dump/sections.h"

namespace ktstr::engine {
namespace {

using introspect::CpuRunqueue;
using introspect::FailureDumpReport;
using introspect::RqScxState;

constexpr std::size_t kMostTasksOfClass = 8;

std::string name_of(const std::string& comm, std::int32_t pid) {
  return comm + "/" + std::to_string(pid);
}

std::string joined(const std::vector<std::string>& words) {
  return words.empty() ? "-" : fmt::format("{}", fmt::join(words, "|"));
}

std::string current_task(const std::optional<std::int32_t>& pid, const std::optional<std::string>& comm) {
  return pid ? name_of(comm.value_or("?"), *pid) : "-";
}

std::string place_of(const FailureDumpReport& report, std::uint32_t cpu) {
  if (cpu >= report.vcpu_regs.size() || !report.vcpu_regs[cpu]) return "-";
  const auto& registers = *report.vcpu_regs[cpu];
  if (registers.user_mode) return "user mode";
  return registers.symbol.value_or(fmt::format("{:#x}", registers.instruction_pointer));
}

const RqScxState* scx_state_of(const FailureDumpReport& report, std::uint32_t cpu) {
  const auto found = std::ranges::find(report.rq_scx_states, cpu, &RqScxState::cpu);
  return found == report.rq_scx_states.end() ? nullptr : &*found;
}

std::string runnable_of(const RqScxState& rq) {
  return std::to_string(rq.runnable_task_kvas.size()) + (rq.runnable_truncated ? "+" : "");
}

/// Of a dump from before there were run queues in dumps.
std::string scx_table(const FailureDumpReport& report) {
  Table table({"cpu", "running", "at", "flags", "scx tasks", "runnable"}, 4, kIndented);
  for (const auto& rq : report.rq_scx_states)
    table.add({std::to_string(rq.cpu), current_task(rq.curr_pid, rq.curr_comm), place_of(report, rq.cpu),
               joined(rq.flag_names), std::to_string(rq.nr_running), runnable_of(rq)});
  return table.to_string();
}

std::vector<Cell> row_of(const FailureDumpReport& report, const CpuRunqueue& rq) {
  return {std::to_string(rq.cpu) + (rq.online.value_or(true) ? "" : " offline"),
          current_task(rq.curr_pid, rq.curr_comm),
          rq.curr_class.value_or("-"),
          place_of(report, rq.cpu),
          std::to_string(rq.nr_running),
          std::to_string(rq.fair.nr_queued),
          std::to_string(rq.rt.nr_running),
          std::to_string(rq.deadline.nr_running)};
}

std::string runqueue_table(const FailureDumpReport& report) {
  std::vector<std::string> header{"cpu", "running", "class", "at", "runnable", "cfs", "rt", "dl"};
  const bool scx = !report.rq_scx_states.empty();
  if (scx) header.insert(header.end(), {"scx", "scx waiting", "scx flags"});
  Table table(std::move(header), 4, kIndented);
  for (const auto& rq : report.cpu_runqueues) {
    auto row = row_of(report, rq);
    const auto* state = scx ? scx_state_of(report, rq.cpu) : nullptr;
    if (state)
      row.insert(row.end(),
                 {std::to_string(state->nr_running), runnable_of(*state), joined(state->flag_names)});
    else if (scx)
      row.insert(row.end(), {"-", "-", "-"});
    table.add(std::move(row));
  }
  return table.to_string();
}

double ms(double ns) {
  return ns * 1e-6;
}

std::string task_text(const introspect::FairTask& task) {
  auto text = name_of(task.comm, task.pid);
  if (task.vlag_ns) text += fmt::format(" lag {:+.3f} ms", ms(static_cast<double>(*task.vlag_ns)));
  text += fmt::format(" vruntime {:.3f} ms", ms(static_cast<double>(task.vruntime_ns)));
  if (task.delayed.value_or(false)) text += " delayed";
  return text;
}

std::string task_text(const introspect::RtTask& task) {
  return name_of(task.comm, task.pid) + fmt::format(" priority {}", task.priority);
}

std::string task_text(const introspect::DeadlineTask& task) {
  return (task.pid ? name_of(task.comm, *task.pid) : task.comm) +
         fmt::format(" deadline {:.3f} ms, {:.3f} ms left", ms(static_cast<double>(task.deadline_ns)),
                     ms(static_cast<double>(task.runtime_left_ns)));
}

/// "  cpu 0 cfs: > worker/12 lag +0.1 ms ..., worker/13 ...": the running task is marked.
template <class Task>
std::string queue_line(std::uint32_t cpu, std::string_view queue, const std::vector<Task>& tasks) {
  if (tasks.empty()) return {};
  auto text = fmt::format("  cpu {} {}: ", cpu, queue);
  const auto shown = std::min(tasks.size(), kMostTasksOfClass);
  for (std::size_t i = 0; i < shown; ++i)
    text += (i == 0 ? "" : ", ") + std::string(tasks[i].running ? "> " : "") + task_text(tasks[i]);
  if (shown < tasks.size()) text += fmt::format(", {} more (--json)", tasks.size() - shown);
  return text + "\n";
}

/// Whether the root queue's average is what its tasks are measured by: those in groups have averages of their
/// own.
bool is_average_of_tasks(const introspect::FairQueue& queue) {
  return queue.avg_vruntime_ns && std::ranges::all_of(queue.tasks, [&](const introspect::FairTask& task) {
           return task.vlag_ns == static_cast<std::int64_t>(*queue.avg_vruntime_ns - task.vruntime_ns);
         });
}

std::string queues_of(const CpuRunqueue& rq) {
  auto text = queue_line(rq.cpu, "dl", rq.deadline.tasks) + queue_line(rq.cpu, "rt", rq.rt.tasks);
  auto fair = queue_line(rq.cpu, "cfs", rq.fair.tasks);
  if (!fair.empty() && is_average_of_tasks(rq.fair)) {
    fair.pop_back();
    fair += fmt::format("; average vruntime {:.3f} ms\n", ms(static_cast<double>(*rq.fair.avg_vruntime_ns)));
  }
  text += fair;
  if (rq.truncated) text += fmt::format("  cpu {}: more tasks were queued than a dump holds\n", rq.cpu);
  for (const auto& problem : rq.problems) text += fmt::format("  cpu {}: {}\n", rq.cpu, problem);
  return text;
}

}  // namespace

std::string cpus_text(const FailureDumpReport& report, const Paint& paint) {
  const auto heading = "\n" + paint.heading("CPUs") + "\n";
  if (report.cpu_runqueues.empty()) {
    const auto why = report.cpu_runqueues_unavailable;
    return report.rq_scx_states.empty() ? (why ? heading + "  " + *why + "\n" : "")
                                        : heading + scx_table(report);
  }
  std::string queues;
  for (const auto& rq : report.cpu_runqueues) queues += queues_of(rq);
  return heading + runqueue_table(report) +
         (queues.empty() ? "" : "\n" + paint.heading("run queues (> runs)") + "\n" + queues);
}

}  // namespace ktstr::engine
