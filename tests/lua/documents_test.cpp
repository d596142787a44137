// README and docs against what they are about: commands, options, scenarios and links that they show.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "engine/base/write.h"
#include "engine/verdict/expectations.h"
#include "tests/documents.h"
#include "tests/run_command.h"
#include "tests/temporary_directory.h"

namespace ktstr::lua {
namespace {

namespace fs = std::filesystem;
using test::blocks;
using test::code_in;
using test::content;
using test::documents;
using test::matches;
using test::run_command;
using test::split;
using test::words_behind_ktstr;

/// The help of a command, "" for ktstr's own; what is no command has none.
const std::string& help_of(const std::string& command) {
  static std::map<std::string, std::string> known;
  const auto [place, is_new] = known.emplace(command, "");
  if (!is_new) return place->second;
  const auto outcome = run_command(std::string(KTSTR_EXECUTABLE) + " " + command + " --help");
  if (outcome.code == 0) place->second = outcome.output;
  return place->second;
}

/// "kernel fetch|list" as "kernel fetch" and "kernel list".
std::vector<std::string> commands_of(const std::vector<std::string>& words) {
  static const std::regex kCommand("[a-z][a-z|-]*");
  std::vector<std::string> commands{""};
  for (const auto& word : words) {
    const bool has_commands = std::ranges::all_of(commands, [](const auto& command) {
      return help_of(command).find("Subcommands:") != std::string::npos;
    });
    if (!has_commands || !std::regex_match(word, kCommand)) return commands;
    std::vector<std::string> longer;
    for (const auto& command : commands)
      for (const auto& name : split(word, '|'))
        longer.push_back(command.empty() ? name : command + " " + name);
    commands = longer;
  }
  return commands;
}

}  // namespace

/// The lines of the table whose first line begins with `heading`, as their cells without backticks.
std::vector<std::vector<std::string>> table(const std::string& text, const std::string& heading) {
  std::vector<std::vector<std::string>> rows;
  std::istringstream lines(text.substr(text.find(heading)));
  static const std::regex kCell(R"(\| `?([^|`]*[^|` ])`? (?=\|))");
  for (std::string line; std::getline(lines, line) && line.starts_with("|");) {
    auto& row = rows.emplace_back();
    for (const auto& cell : matches(line, kCell)) row.push_back(cell[1]);
  }
  if (rows.size() > 2) rows.erase(rows.begin(), rows.begin() + 2);
  return rows;
}

/// What each member of a described struct is, in JSON; none for one that is absent.
template <class T>
void add_members(const T& value, const std::string& prefix, std::map<std::string, std::string>& out) {
  for_each_field<T>([&](const auto& field) {
    const auto json = to_json(value.*field.member);
    out[prefix + std::string(field.name)] = json == "null" ? "none" : json;
  });
}

/// The defaults of `expect` in force on hardware, by name.
std::map<std::string, std::string> expect_defaults() {
  const engine::Expectations nothing;
  std::map<std::string, std::string> defaults;
  add_members(engine::worker_limits(nothing, 0), "", defaults);
  add_members(engine::monitor_thresholds(nothing, false), "monitor.", defaults);
  defaults["max_scheduler_gap"] = to_json(engine::scheduler_gap_limit(nothing, 0));
  defaults["scheduler_error"] = "none";
  defaults["events_clean"] = "false";
  return defaults;
}

TEST_CASE("the defaults of expect are documented, all of them and as they are") {
  const auto defaults = expect_defaults();
  const auto rows = table(content(fs::path(KTSTR_ROOT) / "docs/scenarios.md"), "| `expect` | default |");
  std::set<std::string> documented;
  for (const auto& row : rows) {
    REQUIRE(row.size() >= 2);
    CAPTURE(row[0]);
    REQUIRE(defaults.contains(row[0]));
    CHECK(row[1] == defaults.at(row[0]));
    documented.insert(row[0]);
  }
  std::vector<std::string> stated;
  engine::Expectations nothing;
  const auto note = [&](const auto& record, const std::string& prefix) {
    for_each_field<std::remove_cvref_t<decltype(record)>>(
        [&](const auto& field) { stated.push_back(prefix + std::string(field.name)); });
  };
  note(nothing, "");
  note(nothing.monitor, "monitor.");
  std::erase(stated, "monitor");
  for (const auto& name : stated) CHECK_MESSAGE(documented.contains(name), name);
}

TEST_CASE("defaults that sentences of documents name are those in force") {
  const auto defaults = expect_defaults();
  const auto text = content(fs::path(KTSTR_ROOT) / "docs/scenarios.md");
  const auto begin = text.find("What is not stated has a default");
  REQUIRE(begin != std::string::npos);
  static const std::regex kSetting("`([a-z_]+) = ([^`]+)`");
  std::size_t seen = 0;
  const auto sentences = text.substr(begin, 400);
  for (const auto& setting : matches(sentences, kSetting)) {
    const auto name = setting[1].str();
    CAPTURE(name);
    const auto found = defaults.contains(name) ? defaults.find(name) : defaults.find("monitor." + name);
    REQUIRE(found != defaults.end());
    const auto& value = found->second;
    CHECK((value.ends_with(".0") ? value.substr(0, value.size() - 2) : value) == setting[2].str());
    ++seen;
  }
  CHECK(seen >= 5);
}

TEST_CASE("the checks of the report's format have the defaults in force") {
  const auto defaults = expect_defaults();
  const auto rows =
      table(content(fs::path(KTSTR_ROOT) / "docs/formats/run-report.md"), "| check | default |");
  REQUIRE(rows.size() > 8);
  for (const auto& row : rows) {
    REQUIRE(row.size() >= 2);
    CAPTURE(row[0]);
    auto value = defaults.at(row[0]);
    if (value == "true" || value == "false") value = value == "true" ? "on" : "off";
    std::erase(value, '"');
    if (value.ends_with(".0")) value.resize(value.size() - 2);
    CHECK(row[1] == value);
  }
}

TEST_CASE("commands and options that documents show are there") {
  static const std::regex kOption("--[a-z][a-z-]*");
  std::size_t seen = 0;
  for (const auto& [path, text] : documents()) {
    for (const auto& code : code_in(text)) {
      auto words = words_behind_ktstr(code);
      if (words.empty()) continue;
      CAPTURE(path.string());
      CAPTURE(code);
      if (words.front().ends_with(".lua")) words.insert(words.begin(), "run");
      for (const auto& command : commands_of(words)) {
        CHECK_MESSAGE(!help_of(command).empty(), "no such command");
        for (const auto& word : words)
          for (const auto& option : matches(word, kOption))
            CHECK(help_of(command).find(option.str()) != std::string::npos);
      }
      ++seen;
    }
  }
  CHECK(seen > 15);
}

TEST_CASE("options that README names for run are run's") {
  const auto text = content(fs::path(KTSTR_ROOT) / "README.md");
  static const std::regex kSpan("`(--[^`]*|run --[^`]*)`");
  static const std::regex kOption("--[a-z][a-z-]*");
  std::size_t seen = 0;
  for (const auto& span : matches(text, kSpan))
    for (const auto& code = span[1].str(); const auto& option : matches(code, kOption)) {
      const bool is_help = option.str() == "--help" || option.str() == "--stall-comm";
      CHECK_MESSAGE((is_help || help_of("run").find(option.str()) != std::string::npos), option.str());
      ++seen;
    }
  CHECK(seen > 8);
}

TEST_CASE("commands of bootstrap that documents show are there") {
  const auto help = run_command(std::string(KTSTR_ROOT) + "/bootstrap help").output;
  static const std::regex kCall(R"(\./bootstrap ([a-z]+))");
  std::set<std::string> seen;
  for (const auto& [path, text] : documents())
    for (const auto& call : matches(text, kCall)) seen.insert(call[1]);
  for (const auto& command : seen) CHECK_MESSAGE(help.find("\n  " + command) != std::string::npos, command);
  CHECK(seen.contains("run"));
}

TEST_CASE("whole scenarios that documents show are right") {
  std::size_t seen = 0;
  for (const auto& [path, text] : documents())
    for (const auto& block : blocks(text, "lua")) {
      if (block.find("return k.scenario") == std::string::npos) continue;
      const test::TemporaryDirectory directory;
      const auto script = directory.write("shown.lua", block);
      static const std::regex kScheduler("scx_[a-z_]+");
      for (const auto& name : matches(block, kScheduler))
        fs::copy_file("/bin/true", directory.path() / name.str(), fs::copy_options::skip_existing);
      const auto outcome = run_command(std::string(KTSTR_EXECUTABLE) + " check " + script.string());
      CHECK_MESSAGE(outcome.code == 0, (path.string() + ": " + outcome.output));
      ++seen;
    }
  CHECK(seen >= 2);
}

TEST_CASE("the mistakes that README shows are told so") {
  const auto shown = blocks(content(fs::path(KTSTR_ROOT) / "README.md"), "");
  const auto mistakes =
      std::ranges::find_if(shown, [](const auto& text) { return text.starts_with("bad.lua:"); });
  REQUIRE(mistakes != shown.end());
  const test::TemporaryDirectory directory;
  static_cast<void>(directory.write("bad.lua", R"(local k = require "ktstr"

return k.scenario {
  topology = "1n2l2c1t",
  duration = "4x",
  cgroups = {
    web = { cpuset = k.cpuset.disjoint(0, 2),
            wroks = { k.work.bursty { workers = 2 } } },
  },
}
)"));
  const auto outcome =
      run_command("cd " + directory.path().string() + " && " + KTSTR_EXECUTABLE + " check bad.lua");
  CHECK(outcome.code == 3);
  CHECK(outcome.output == *mistakes);
}

TEST_CASE("files that documents link to are there") {
  static const std::regex kLink(R"(\]\(([^)#:]+)(#[^)]*)?\))");
  for (const auto& [path, text] : documents())
    for (const auto& link : matches(text, kLink))
      CHECK_MESSAGE(fs::exists(path.parent_path() / link[1].str()), (path.string() + ": " + link[1].str()));
}

}  // namespace ktstr::lua
