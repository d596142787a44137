// The parts of a dump's text. Each ends with a newline, or is empty when it has nothing to say.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>

#include "engine/base/table.h"
#include "introspect/dump/report.h"

namespace ktstr::engine {

/// "worker/123", by the address of a task_struct; the address for one that the dump does not have.
class TaskNames {
 public:
  explicit TaskNames(const introspect::FailureDumpReport& report);
  [[nodiscard]] std::string of(std::uint64_t task_kva) const;

 private:
  std::map<std::uint64_t, const introspect::TaskEnrichment*> tasks_;
};

/// Whether the kernel has no sched_ext at all, as far as run queues tell.
[[nodiscard]] bool is_without_sched_ext(const introspect::FailureDumpReport& report);

/// "worker/123"
[[nodiscard]] std::string task_name(const introspect::TaskEnrichment& task);

[[nodiscard]] std::string cause_text(const introspect::FailureDumpReport& report, const Paint& paint);
[[nodiscard]] std::string scheduler_text(const introspect::FailureDumpReport& report);
[[nodiscard]] std::string cpus_text(const introspect::FailureDumpReport& report, const Paint& paint);
[[nodiscard]] std::string dsqs_text(const introspect::FailureDumpReport& report, const Paint& paint);
[[nodiscard]] std::string tasks_text(const introspect::FailureDumpReport& report, const Paint& paint);
[[nodiscard]] std::string events_text(const introspect::FailureDumpReport& report, const Paint& paint);
[[nodiscard]] std::string programs_text(const introspect::FailureDumpReport& report, const Paint& paint);
[[nodiscard]] std::string machine_text(const introspect::FailureDumpReport& report, const Paint& paint);
[[nodiscard]] std::string problems_text(const introspect::FailureDumpReport& report, const Paint& paint);

/// All of one task.
[[nodiscard]] std::string task_text(const introspect::TaskEnrichment& task);

/// At most `most` entries of the map, and how many more there are.
[[nodiscard]] std::string map_text(const introspect::FailureDumpMap& map, const Paint& paint,
                                   std::size_t most);
/// Where an arena is and which of its pages are in use, at most `most` runs of them; its bytes are for
/// --json.
[[nodiscard]] std::string arena_text(const introspect::ArenaSnapshot& arena, std::size_t most);
/// What allocators keep in the arena, at most `most` allocations of each.
[[nodiscard]] std::string allocations_text(const introspect::FailureDumpReport& report, const Paint& paint,
                                           std::size_t most);
[[nodiscard]] std::string maps_text(const introspect::FailureDumpReport& report, const Paint& paint);

}  // namespace ktstr::engine
