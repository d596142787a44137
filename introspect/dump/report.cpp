#include "introspect/dump/report.h"

namespace ktstr::introspect {

FailureDumpReport FailureDumpReport::placeholder(const std::string& reason) {
  FailureDumpReport report;
  report.sdt_alloc_unavailable = reason;
  report.prog_runtime_stats_unavailable = reason;
  report.per_node_numa_unavailable = reason;
  report.cpu_runqueues_unavailable = reason;
  report.task_enrichments_unavailable = reason;
  report.scx_walker_unavailable = reason;
  report.is_placeholder = true;
  return report;
}

}  // namespace ktstr::introspect
