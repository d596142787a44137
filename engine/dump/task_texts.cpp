#include <fmt/format.h>

#include <algorithm>

#include "engine/base/table.h"
#include "engine/base/write.h"
#include "engine/dump/sections.h"

namespace ktstr::engine {
namespace {

template <class Record>
std::string fields_text(const Record& record, std::string_view indent);

template <class M>
std::string field_text(std::string_view name, const M& value, std::string_view indent) {
  if constexpr (kind_of<M> == Kind::kOptional) {
    return value ? field_text(name, *value, indent) : "";
  } else if constexpr (DescribedRecord<M>) {
    return fmt::format("{}{}\n", indent, name) + fields_text(value, std::string(indent) + "  ");
  } else if constexpr (std::unsigned_integral<M> && sizeof(M) == 8) {
    const bool address = name.ends_with("_kva") || name.ends_with("dsq_id");
    return fmt::format("{}{:<22} {}\n", indent, name,
                       address ? fmt::format("{:#x}", value) : std::to_string(value));
  } else {
    return fmt::format("{}{:<22} {}\n", indent, name, to_json(value));
  }
}

template <class Record>
std::string fields_text(const Record& record, std::string_view indent) {
  std::string text;
  for_each_field<Record>(
      [&](const auto& field) { text += field_text(field.name, record.*field.member, indent); });
  return text;
}

using introspect::FailureDumpReport;
using introspect::TaskEnrichment;

constexpr std::size_t kMostTasksOfQueue = 16;
constexpr std::size_t kMostTasks = 64;

template <class T>
std::string or_dash(const std::optional<T>& value) {
  return value ? fmt::format("{}", *value) : "-";
}

/// How much a reader wants to see of a task: those that run, then those that wait (in sched_ext the longest
/// wait before the others), then those that ran last.
struct Interest {
  bool runs;
  bool waits;
  std::int64_t waited_jiffies;
  std::uint64_t last_ran_ns;
  auto operator<=>(const Interest&) const = default;
};

Interest interest_of(const TaskEnrichment& task) {
  const auto waited = task.scx ? task.scx->runnable_for_jiffies : std::nullopt;
  return {task.on_cpu.value_or(false), task.on_rq.value_or(waited.has_value()), waited.value_or(-1),
          task.last_ran_ns.value_or(0)};
}

std::vector<const TaskEnrichment*> by_interest(const std::vector<TaskEnrichment>& tasks) {
  std::vector<const TaskEnrichment*> order;
  for (const auto& task : tasks) order.push_back(&task);
  std::stable_sort(order.begin(), order.end(),
                   [](const auto* a, const auto* b) { return interest_of(*a) > interest_of(*b); });
  return order;
}

/// "runs", "waits", or its state letter.
std::string activity_of(const TaskEnrichment& task) {
  if (task.on_cpu.value_or(false)) return "runs";
  const auto state = task.state.value_or("-");
  return state == "R" && task.on_rq.value_or(false) ? "waits" : state;
}

std::string dsq_of(const TaskEnrichment& task) {
  return task.scx && task.scx->dsq_id ? fmt::format("{:#x}", *task.scx->dsq_id) : "-";
}

void add_task(Table& table, const TaskEnrichment& task) {
  using introspect::TaskScxState;
  const auto* scx = task.scx ? &*task.scx : nullptr;
  table.add({task_name(task), task.sched_class.value_or("-"), activity_of(task), dsq_of(task),
             or_dash(task.cpu), or_dash(task.weight), std::to_string(task.nvcsw + task.nivcsw),
             scx ? or_dash(scx->runnable_for_jiffies) : "-"});
}

}  // namespace

std::string task_text(const introspect::TaskEnrichment& task) {
  return "task " + task_name(task) + "\n" + fields_text(task, "  ");
}

std::string task_name(const TaskEnrichment& task) {
  return task.comm + "/" + std::to_string(task.pid);
}

TaskNames::TaskNames(const FailureDumpReport& report) {
  for (const auto& task : report.task_enrichments) tasks_.emplace(task.task_kva, &task);
}

std::string TaskNames::of(std::uint64_t task_kva) const {
  const auto found = tasks_.find(task_kva);
  return found == tasks_.end() ? fmt::format("{:#x}", task_kva) : task_name(*found->second);
}

/// Empty queues are many and say nothing.
std::string dsqs_text(const FailureDumpReport& report, const Paint& paint) {
  if (report.dsq_states.empty()) return {};
  const TaskNames names(report);
  std::string text;
  std::size_t empty = 0;
  for (const auto& dsq : report.dsq_states) {
    if (dsq.nr == 0 && dsq.task_kvas.empty() && !dsq.problem) {
      ++empty;
      continue;
    }
    text += fmt::format("  {:#x} {}: {} queued", dsq.id, dsq.origin, dsq.nr);
    const auto shown = std::min(dsq.task_kvas.size(), kMostTasksOfQueue);
    for (std::size_t i = 0; i < shown; ++i) text += (i == 0 ? ": " : ", ") + names.of(dsq.task_kvas[i]);
    if (shown < dsq.task_kvas.size()) text += fmt::format(", {} more", dsq.task_kvas.size() - shown);
    if (dsq.truncated) text += " (not all)";
    if (dsq.problem) text += "; " + *dsq.problem;
    text += "\n";
  }
  if (empty > 0) text += fmt::format("  {} empty\n", empty);
  return "\n" + paint.heading("dispatch queues") + "\n" + text;
}

std::string tasks_text(const FailureDumpReport& report, const Paint& paint) {
  const auto heading = "\n" + paint.heading("tasks") + "\n";
  if (report.task_enrichments.empty())
    return report.task_enrichments_unavailable ? heading + "  " + *report.task_enrichments_unavailable + "\n"
                                               : "";
  Table table({"task", "class", "state", "dsq", "cpu", "weight", "switches", "runnable jiffies"}, 4,
              kIndented);
  const auto order = by_interest(report.task_enrichments);
  const auto shown = std::min(order.size(), kMostTasks);
  for (std::size_t i = 0; i < shown; ++i) add_task(table, *order[i]);
  auto text = heading + table.to_string();
  if (shown < order.size()) text += fmt::format("  {} more (--task PID, --json)\n", order.size() - shown);
  return text;
}

}  // namespace ktstr::engine
