#include <fmt/format.h>

#include "engine/dump/sections.h"
#include "introspect/scx/scx_state.h"

namespace ktstr::engine {
namespace {

using introspect::FailureDumpReport;

double milliseconds(std::uint64_t ns) {
  return static_cast<double>(ns) * 1e-6;
}

std::string origin_line(const FailureDumpReport& report) {
  const auto& origin = report.origin;
  auto text =
      fmt::format("  {:.3f} s after the machine's start", static_cast<double>(origin.elapsed_ns) * 1e-9);
  if (origin.cause == introspect::DumpCause::kGuestPanic)
    return text + "; of the memory that the guest left, " +
           (report.vcpu_regs.empty() ? "without registers\n"
                                     : "and its registers when it reset the machine\n");
  text += fmt::format("; the guest stood still for {:.1f} ms", milliseconds(origin.frozen_ns));
  if (origin.dump_ns)
    text += fmt::format(" (stop {:.1f}, dump {:.1f})", milliseconds(origin.stop_ns),
                        milliseconds(*origin.dump_ns));
  return text + "\n";
}

/// What the walker's exact texts, which programs look for, mean to a person.
std::string why_none(const FailureDumpReport& report, const std::string& reason) {
  if (is_without_sched_ext(report)) return "the kernel's own; this kernel has no sched_ext";
  if (reason == introspect::kReasonNoScxWalker && !report.cpu_runqueues.empty())
    return "unknown: sched_ext's state can't be read on this kernel";
  if (reason == introspect::kReasonScxRootNull) return "the kernel's own; none of sched_ext's is attached";
  return reason;
}

std::string exit_text(const introspect::ScxExitRecord& exit, const Paint& paint) {
  auto text =
      fmt::format("{} {} ({})", paint.alarm("exit"), exit.kind_name.value_or("unknown kind"), exit.kind);
  if (exit.ops_name) text += " of " + *exit.ops_name;
  if (exit.reason) text += ": " + *exit.reason;
  text += "\n";
  if (exit.msg && !exit.msg->empty()) text += "  " + *exit.msg + "\n";
  for (const auto& frame : exit.backtrace)
    text += "    " + frame.symbol.value_or(fmt::format("{:#x}", frame.address)) + "\n";
  return text;
}

}  // namespace

bool is_without_sched_ext(const FailureDumpReport& report) {
  return report.scx_walker_unavailable == introspect::kReasonNoScxWalker && !report.cpu_runqueues.empty() &&
         !report.cpu_runqueues.front().nr_ext;
}

std::string cause_text(const FailureDumpReport& report, const Paint& paint) {
  const auto& origin = report.origin;
  auto text = paint.heading(origin.name.empty() ? "dump" : "dump \"" + origin.name + "\"") + ", " +
              std::string(enum_name(origin.cause));
  if (!origin.detail.empty()) text += ": " + origin.detail;
  text += "\n";
  if (!origin.kernel.empty()) text += "  " + origin.kernel + "\n";
  if (report.is_placeholder)
    return text + "  no data: " + report.scx_walker_unavailable.value_or("the dump could not be taken") +
           "\n";
  text += origin_line(report);
  if (report.dump_truncated_at_us)
    text += fmt::format("  {} after {:.1f} ms: what came later is missing, {} map(s) among it\n",
                        paint.alarm("cut short"), static_cast<double>(*report.dump_truncated_at_us) * 1e-3,
                        report.maps_truncated);
  if (report.exit_record) text += exit_text(*report.exit_record, paint);
  return text;
}

std::string scheduler_text(const FailureDumpReport& report) {
  if (!report.scx_sched_state)
    return report.scx_walker_unavailable
               ? "scheduler: " + why_none(report, *report.scx_walker_unavailable) + "\n"
               : "";
  const auto& sched = *report.scx_sched_state;
  auto text = "scheduler " + sched.ops_name.value_or("without a name");
  if (sched.enable_state) text += ", " + *sched.enable_state;
  if (sched.exit_kind != 0)
    text += fmt::format(", exit kind {} ({})", sched.exit_kind_name.value_or("unknown"), sched.exit_kind);
  if (sched.aborting.value_or(false)) text += ", aborting";
  if (sched.bypass_depth.value_or(0) > 0) text += fmt::format(", bypass depth {}", *sched.bypass_depth);
  if (sched.watchdog_timeout) text += fmt::format(", watchdog {} jiffies", *sched.watchdog_timeout);
  if (report.active_obj_name) text += ", BPF object " + *report.active_obj_name;
  text += "\n";
  if (report.scx_walker_unavailable) text += "  " + *report.scx_walker_unavailable + "\n";
  return text;
}

}  // namespace ktstr::engine
