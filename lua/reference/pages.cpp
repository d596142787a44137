#include "lua/reference/pages.h"

#include <algorithm>
#include <cctype>

#include "engine/report/run_report.h"
#include "lua/reference/families.h"

namespace ktstr::lua {
namespace {

constexpr const char* kGenerated =
    "<!-- Made by `ktstr docs` from describe<>; edit the descriptions instead. -->\n\n";

std::string code(std::string_view text) {
  return text.empty() ? "" : "`" + std::string(text) + "`";
}

/// A record's line of documentation as a sentence.
std::string sentence(std::string_view doc) {
  std::string text = std::string(doc) + ".\n\n";
  text[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(text[0])));
  return text;
}

/// A vertical bar would end the cell.
std::string cell(std::string_view text) {
  std::string escaped;
  for (const char c : text) escaped += c == '|' ? std::string("\\|") : std::string(1, c);
  return escaped;
}

/// "k.cpuset.disjoint(index, of)", "k.hold.rest", "k.work.bursty { ... }"
std::string call(const FamilyDoc& family, const RecordDoc& member) {
  const auto name = "k." + std::string(family.name) + "." + std::string(member.name);
  if (!family.takes_positions) return name + " { workers = ..., ... }";
  if (member.fields.empty()) return name;
  std::string parameters;
  for (const auto& field : member.fields)
    parameters += (parameters.empty() ? "" : ", ") + std::string(field.name);
  return name + "(" + parameters + ")";
}

/// "| field | type | default | |" and a row for each field; without the column of defaults when none has one.
std::string field_table(const RecordDoc& record) {
  const bool defaults = std::any_of(record.fields.begin(), record.fields.end(),
                                    [](const auto& f) { return !f.default_text.empty(); });
  std::string text =
      defaults ? "| field | type | default | |\n|---|---|---|---|\n" : "| field | type | |\n|---|---|---|\n";
  for (const auto& field : record.fields) {
    text += "| " + code(field.name) + " | " + cell(field.type.page) + " | ";
    if (defaults) text += code(field.default_text) + " | ";
    text += cell(field.doc) + " |\n";
  }
  return text + "\n";
}

/// A heading, the record's sentence and its fields.
std::string section(const RecordDoc& record, std::string_view heading) {
  return "## " + std::string(heading) + "\n\n" + sentence(record.doc) + field_table(record);
}

}  // namespace

std::string scenario_page() {
  Catalogue catalogue;
  catalogue.add<engine::Scenario>(Defaults::kShown);
  std::string text = std::string(kGenerated) + "# Scenario tables\n\n" +
                     "Every member is optional. Durations (`\"50ms\"`), sizes (`\"64K\"`) and CPU lists "
                     "(`\"0-3,8\"`) are strings.\n"
                     "`k.…` types are on the page of [constructors](constructors.md).\n\n";
  for (const auto& record : catalogue.records()) text += section(record, record.name);
  return text;
}

std::string constructors_page() {
  std::string text = std::string(kGenerated) + "# Constructors\n\n" +
                     "`k.family.name(...)` takes its values in the order shown, or one table of names.\n\n";
  for (const auto& family : families()) {
    text += "## k." + std::string(family.name) + "\n\n" + std::string(family.doc) + "\n\n";
    if (family.name == "work") text += field_table(work_group_doc());
    for (const auto& member : family.members) {
      text += "### " + code(call(family, member)) + "\n\n" + sentence(member.doc);
      if (!member.fields.empty()) text += field_table(member);
    }
  }
  return text;
}

std::string report_page() {
  Catalogue catalogue;
  catalogue.add<engine::RunReport>(Defaults::kNone);
  std::string text =
      std::string(kGenerated) + "# The report\n\n" +
      "What `--json` writes and `check(report)` gets. Absent is `null` in JSON and `nil` in Lua, never 0.\n"
      "In Lua, whole numbers beyond 2^53 are LuaJIT's 64-bit integers.\n\n";
  for (const auto& record : catalogue.records()) text += section(record, record.name);
  return text;
}

std::vector<Page> reference_pages() {
  return {{"docs/reference/scenario.md", scenario_page()},
          {"docs/reference/constructors.md", constructors_page()},
          {"docs/reference/report.md", report_page()},
          {"docs/reference/metrics.md", metrics_page()},
          {"lua/types/ktstr.lua", scenario_annotations()},
          {"lua/types/report.lua", report_annotations()},
          {"lua/types/dump.lua", dump_annotations()},
          {"lua/types/ctprof.lua", ctprof_annotations()}};
}

}  // namespace ktstr::lua
