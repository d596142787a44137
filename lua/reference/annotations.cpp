
#include "engine/ctprof/compare_request.h"
#include "engine/report/run_report.h"
#include "introspect/ctprof/snapshot.h"
#include "introspect/dump/report.h"
#include "lua/reference/families.h"
#include "lua/reference/pages.h"

namespace ktstr::lua {
namespace {

std::string field_line(const FieldDoc& field) {
  return "---@field " + std::string(field.name) + (field.optional ? "? " : " ") + field.type.luals + " " +
         std::string(field.doc) + "\n";
}

/// The first lines of a module's file.
std::string annotation_heading(const std::string& module) {
  return "---@meta " + module +
         "\n-- For the Lua language server. Made by `ktstr docs` from describe<>; edit the descriptions "
         "instead.\n\n";
}

/// A class with a record's fields.
std::string class_annotation(const RecordDoc& record, const std::string& name,
                             const std::string& parent = "") {
  std::string text =
      "---" + std::string(record.doc) + "\n---@class " + name + (parent.empty() ? "" : ": " + parent) + "\n";
  for (const auto& field : record.fields) text += field_line(field);
  return text + "\n";
}

/// A step's list items are ops.
std::string parent_of(std::string_view record) {
  return record == describe<engine::Step>.name ? "{ [integer]: ktstr.op }" : "";
}

/// Lua's keywords are no names of parameters; "end" is one that ours have.
std::string parameter_name(std::string_view field) {
  return std::string(field) + (field == "end" ? "_" : "");
}
std::string member_name(std::string_view field) {
  return field == "end" ? "[\"end\"]" : std::string(field);
}

/// "{ index: integer, of: integer }": a choice's fields by name.
std::string named_form(const RecordDoc& member) {
  std::string text;
  for (const auto& field : member.fields)
    text += (text.empty() ? "" : ", ") + member_name(field.name) + (field.optional ? "?" : "") + ": " +
            field.type.luals;
  return "{ " + text + " }";
}

/// A choice with fields is a function of its values in order, or of one table of names.
std::string choice_function(const std::string& family, const RecordDoc& member) {
  const auto type = "ktstr." + family;
  std::string text = "---" + std::string(member.doc) + "\n";
  std::string parameters;
  for (const auto& field : member.fields) {
    const auto name = parameter_name(field.name);
    text += "---@param " + name + (field.optional ? "? " : " ") + field.type.luals + " " +
            std::string(field.doc) + "\n";
    parameters += (parameters.empty() ? "" : ", ") + name;
  }
  return text + "---@return " + type + "\n---@overload fun(named: " + named_form(member) + "): " + type +
         "\nfunction " + family + "." + std::string(member.name) + "(" + parameters + ") end\n\n";
}

std::string work_function(const std::string& family, const RecordDoc& member) {
  const auto type = "ktstr." + family;
  return "---" + std::string(member.doc) + "\n---@param parameters " + type + "." + std::string(member.name) +
         "\n---@return " + type + "\nfunction " + family + "." + std::string(member.name) +
         "(parameters) end\n\n";
}

/// The parameters of each type of work, with those that all have.
std::string work_classes(const FamilyDoc& family) {
  std::string text = class_annotation(work_group_doc(), "ktstr.work_group");
  for (const auto& member : family.members)
    text += class_annotation(member, "ktstr.work." + std::string(member.name), "ktstr.work_group");
  return text;
}

/// The type of what the family makes, then the table of its functions. A choice without fields is a value,
/// and calling it gives it again.
std::string family_text(const FamilyDoc& family) {
  const std::string name(family.name);
  std::string values;
  std::string functions;
  for (const auto& member : family.members)
    if (!family.takes_positions)
      functions += work_function(name, member);
    else if (member.fields.empty())
      values +=
          "---@field " + std::string(member.name) + " ktstr." + name + " " + std::string(member.doc) + "\n";
    else
      functions += choice_function(name, member);
  return "---@class ktstr." + name + "\n" +
         (values.empty() ? "" : "---@operator call: ktstr." + name + "\n") + "\n" +
         (family.takes_positions ? "" : work_classes(family)) + "---" + std::string(family.doc) +
         "\n---@class ktstr.module." + name + "\n" + values + "local " + name + " = {}\n\n" + functions;
}

std::string module_function(std::string_view name, std::string_view doc) {
  const auto text = std::string(name);
  return "---" + std::string(doc) + "\n---@param " + text + " ktstr." + text + "\n---@return ktstr." + text +
         "\nfunction k." + text + "(" + text + ") end\n\n";
}

std::string module_text() {
  std::string text = "---@class ktstr.module\n";
  for (const auto& family : families())
    text += "---@field " + std::string(family.name) + " ktstr.module." + std::string(family.name) + "\n";
  text += "local k = {}\n\n";
  text += module_function("scenario", "what a script returns");
  text += module_function("step", "one step; its list items are ops");
  text += module_function("scheduler", "a scheduler's program, or one of the kernel's own");
  return text + "return k\n";
}

/// What a hook gets has this method beside its fields.
std::string fail_field(const std::string& class_of_it) {
  return "---@field fail fun(self: " + class_of_it + ", message: string) adds a failure\n";
}

/// A class with the method `fail`, which stands before the empty line at the end.
std::string with_fail(std::string text, const std::string& name) {
  text.pop_back();
  return text + fail_field(name) + "\n";
}

/// What on_snapshot() gets: maps by name, and all of them as a list.
RecordDoc snapshot_doc(RecordDoc dump) {
  for (auto& field : dump.fields)
    if (field.name == "maps") {
      auto list = field;
      list.name = "map_list";
      field.type.luals = "table<string, any>";
      field.doc = "by name: the variables of a global section, the contents of any other map";
      dump.fields.push_back(std::move(list));
      break;
    }
  return dump;
}

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

std::string scenario_annotations() {
  std::string text = annotation_heading("ktstr");
  Catalogue catalogue;
  catalogue.add<engine::Scenario>(Defaults::kShown);
  for (const auto& record : catalogue.records())
    text += class_annotation(record, class_name(record.name), parent_of(record.name));
  for (const auto& family : families()) text += family_text(family);
  return text + module_text();
}

std::string report_annotations() {
  std::string text = annotation_heading("ktstr.report");
  Catalogue report;
  report.add<engine::RunReport>(Defaults::kNone);
  for (const auto& record : report.records()) {
    const auto name = class_name(record.name);
    const bool is_root = record.name == describe<engine::RunReport>.name;
    auto annotation = class_annotation(record, name);
    text += is_root ? with_fail(std::move(annotation), name) : annotation;
  }
  return text;
}

std::string dump_annotations() {
  std::string text = annotation_heading("ktstr.dump");
  Catalogue dump;
  dump.add<introspect::FailureDumpReport>(Defaults::kNone);
  for (const auto& record : dump.records()) {
    const auto name = class_name(record.name);
    const bool is_root = record.name == describe<introspect::FailureDumpReport>.name;
    text += is_root ? with_fail(class_annotation(snapshot_doc(record), name), name)
                    : class_annotation(record, name);
  }
  return text;
}

TypeDoc hook_doc(std::string_view field) {
  const auto gets = field == "on_snapshot"
                        ? "snapshot: " + class_name(describe<introspect::FailureDumpReport>.name)
                        : "report: " + class_name(describe<engine::RunReport>.name);
  return {"function", "fun(" + gets + "): string|string[]|boolean|nil"};
}

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
