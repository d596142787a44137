// The module "ktstr.ctprof" for the Lua language server.
#include "engine/ctprof/compare_request.h"
#include "introspect/ctprof/snapshot.h"
#include "lua/reference/annotations.h"
#include "lua/reference/pages.h"

namespace ktstr::lua {
namespace {

namespace ctprof = introspect::ctprof;

std::string_view luals_type(ctprof::Kind kind) {
  using enum ctprof::Kind;
  switch (kind) {
    case kCategory:
    case kStateLetter:
    case kCpuSet:
      return "string";
    case kFlag:
      return "boolean";
    default:
      return "integer";
  }
}

/// A thread's members: its identity, the metrics of the table, its process's memory (snapshot.h).
std::string thread_text() {
  std::string text =
      "---one thread; what could not be read is nil, never 0\n---@class ktstr.ThreadRecord\n"
      "---@field tid integer thread id\n---@field tgid integer process id\n---@field pcomm? string the "
      "process's name\n"
      "---@field comm? string the thread's name\n---@field cgroup? string path in the cgroup v2 hierarchy\n"
      "---@field start_time_clock_ticks? integer when it began, 1/100 s since boot\n";
  for (const auto& metric : ctprof::metrics())
    text += "---@field " + std::string(metric.name) + "? " + std::string(luals_type(metric.kind())) + " " +
            std::string(metric.doc) + "\n";
  return text +
         "---@field smaps_rollup_kib? table<string, integer> memory of the process by category, KiB; of its "
         "first thread only\n\n";
}

}  // namespace

std::string ctprof_annotations() {
  std::string text = annotation_heading("ktstr.ctprof");
  Catalogue records;
  records.add<ctprof::Snapshot>(Defaults::kNone);
  records.add<ctprof::Comparison>(Defaults::kNone);
  for (const auto& record : records.records()) text += class_annotation(record, class_name(record.name));
  text += thread_text();
  text +=
      "---the most frequent value of a group, and how many of its threads have it\n---@class ktstr.Mode\n"
      "---@field value string\n---@field count integer\n---@field of integer\n\n"
      "---the CPUs that threads of a group may use\n---@class ktstr.AffinityUnion\n"
      "---@field cpus string all of them\n---@field fewest integer of one thread\n---@field most integer of "
      "one "
      "thread\n---@field uniform boolean all have the same\n\n";
  const auto request = record_doc<engine::CompareRequest>(Defaults::kShown);
  text += class_annotation(request, class_name(request.name));
  return text +
         "---@class ktstr.module.ctprof\n"
         "---@field load fun(path: string): ktstr.Snapshot reads a capture, a file called NAME.ctprof.zst\n"
         "---@field compare fun(before: ktstr.Snapshot, after: ktstr.Snapshot, options?: "
         "ktstr.CompareRequest): "
         "ktstr.Comparison what changed between two captures that load gave\n"
         "local ctprof = {}\nreturn ctprof\n";
}

}  // namespace ktstr::lua
