// What a guest is asked before anything runs in it: the topology that its kernel found, and the kernel's
// optional statistics.
#pragma once

#include "engine/base/result.h"
#include "engine/protocol/machine_messages.h"
#include "engine/report/run_report.h"
#include "engine/run/guest.h"
#include "vmm/topology.h"

namespace ktstr::engine {

/// Holds what the guest's kernel found against what was asked for. Errors (kUnavailable): what differs, CPUs
/// first. What the kernel does not show is not compared.
[[nodiscard]] Status check_found_topology(const vmm::Topology& asked, const protocol::FoundTopology& found);

/// Switches the kernel's optional statistics on or off. A kernel that refuses costs the statistics, not the
/// run: the report has the reason. Error: kCancelled, or the agent is lost.
[[nodiscard]] Status set_statistics(Guest& guest, bool on, StatisticsReport& report);

}  // namespace ktstr::engine
