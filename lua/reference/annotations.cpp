#include "lua/reference/annotations.h"

#include "engine/report/run_report.h"
#include "lua/reference/families.h"
#include "lua/reference/pages.h"

namespace ktstr::lua {
namespace {

std::string field_line(const FieldDoc& field) {
  return "---@field " + std::string(field.name) + (field.optional ? "? " : " ") + field.type.luals + " " +
         std::string(field.doc) + "\n";
}

/// A step's list items are ops.
std::string parent_of(std::string_view record) {
  return record == describe<engine::Step>.name ? "ktstr.op[]" : "";
}

/// The function's type: values in order, or one table for work.
std::string constructor_type(const FamilyDoc& family, const RecordDoc& member) {
  const auto result = "ktstr." + std::string(family.name);
  if (!family.takes_positions)
    return "fun(parameters: " + result + "." + std::string(member.name) + "): " + result;
  if (member.fields.empty()) return result;
  std::string parameters;
  for (const auto& field : member.fields)
    parameters += (parameters.empty() ? "" : ", ") + std::string(field.name) + (field.optional ? "?" : "") +
                  ": " + field.type.luals;
  return "fun(" + parameters + "): " + result;
}

std::string family_text(const FamilyDoc& family) {
  const auto name = "ktstr." + std::string(family.name);
  std::string text = "---@class " + name + "\n\n";
  if (!family.takes_positions) {
    text += class_annotation(work_group_doc(), "ktstr.work_group");
    for (const auto& member : family.members)
      text += class_annotation(member, name + "." + std::string(member.name), "ktstr.work_group");
  }
  text += "---" + std::string(family.doc) + "\n---@class ktstr.module." + std::string(family.name) + "\n";
  for (const auto& member : family.members)
    text += "---@field " + std::string(member.name) + " " + constructor_type(family, member) + " " +
            std::string(member.doc) + "\n";
  return text + "\n";
}

std::string module_text() {
  std::string text =
      "---@class ktstr.module\n"
      "---@field scenario fun(scenario: ktstr.scenario): ktstr.scenario what a script returns\n"
      "---@field step fun(step: ktstr.step): ktstr.step one step; its list items are ops\n"
      "---@field scheduler fun(scheduler: ktstr.scheduler): ktstr.scheduler a scheduler's program, or one of "
      "the "
      "kernel's own\n";
  for (const auto& family : families())
    text += "---@field " + std::string(family.name) + " ktstr.module." + std::string(family.name) + "\n";
  return text + "local k = {}\nreturn k\n";
}

}  // namespace

std::string annotation_heading(const std::string& module) {
  return "---@meta " + module +
         "\n-- For the Lua language server. Made by `ktstr docs` from describe<>; edit the descriptions "
         "instead.\n\n";
}

std::string class_annotation(const RecordDoc& record, const std::string& name, const std::string& parent) {
  std::string text =
      "---" + std::string(record.doc) + "\n---@class " + name + (parent.empty() ? "" : ": " + parent) + "\n";
  for (const auto& field : record.fields) text += field_line(field);
  return text + "\n";
}

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
  for (const auto& record : report.records()) text += class_annotation(record, class_name(record.name));
  return text;
}

}  // namespace ktstr::lua
