// ScriptHost on scripts that call everything a script can reach, with values of every kind; then their hook.
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include "engine/report/run_report.h"
#include "lua/script_host.h"
#include "tests/fuzz/fuzz_input.h"

namespace {

using ktstr::fuzz::FuzzInput;
using ktstr::lua::ScriptHost;

constexpr std::array<std::string_view, 30> kValues = {"nil",
                                                      "true",
                                                      "0",
                                                      "-1",
                                                      "1",
                                                      "2^31",
                                                      "-2^31",
                                                      "1e300",
                                                      "0/0",
                                                      "3.5",
                                                      "''",
                                                      "'a'",
                                                      "'%w+'",
                                                      "'[^a-z]%1'",
                                                      "('x'):rep(99)",
                                                      "{}",
                                                      "{1, 2, 3}",
                                                      "{a = 1}",
                                                      "print",
                                                      "function(...) return ... end",
                                                      "1ULL",
                                                      "-5LL",
                                                      "2i",
                                                      "coroutine.create(print)",
                                                      "k",
                                                      "k.op",
                                                      "_G",
                                                      "v[1]",
                                                      "v[2]",
                                                      "v[3]"};
constexpr std::array<std::string_view, 46> kFunctions = {"tostring",
                                                         "tonumber",
                                                         "type",
                                                         "next",
                                                         "pairs",
                                                         "ipairs",
                                                         "rawget",
                                                         "rawset",
                                                         "rawequal",
                                                         "select",
                                                         "unpack",
                                                         "getmetatable",
                                                         "setmetatable",
                                                         "pcall",
                                                         "xpcall",
                                                         "error",
                                                         "assert",
                                                         "require",
                                                         "string.find",
                                                         "string.match",
                                                         "string.gmatch",
                                                         "string.gsub",
                                                         "string.rep",
                                                         "string.format",
                                                         "string.byte",
                                                         "string.sub",
                                                         "table.concat",
                                                         "table.insert",
                                                         "table.remove",
                                                         "table.sort",
                                                         "table.move",
                                                         "coroutine.create",
                                                         "coroutine.resume",
                                                         "coroutine.wrap",
                                                         "coroutine.status",
                                                         "bit.lshift",
                                                         "math.max",
                                                         "k.scenario",
                                                         "k.step",
                                                         "k.scheduler",
                                                         "k.work.sequence",
                                                         "k.cpuset.overlap",
                                                         "k.op.add_cgroup",
                                                         "k.hold.loop",
                                                         "c.load",
                                                         "c.compare"};
constexpr std::array<std::string_view, 12> kFields = {"topology",  "duration", "cgroups",     "steps",
                                                      "scheduler", "memory",   "expect",      "name",
                                                      "check",     "works",    "kernel_args", "description"};

template <std::size_t N>
std::string_view pick(FuzzInput& input, const std::array<std::string_view, N>& choices) {
  return choices[input.take<std::uint8_t>() % N];
}

/// A value, or text of the input's own bytes.
std::string value(FuzzInput& input) {
  const auto choice = input.take<std::uint8_t>();
  if (choice % 8 != 0) return std::string(kValues[choice % kValues.size()]);
  std::string text = "'";
  for (const auto byte : input.take_bytes(choice / 8))
    text += "\\" + std::to_string(static_cast<unsigned>(byte));
  return text + "'";
}

std::string call(FuzzInput& input) {
  const auto shape = input.take<std::uint8_t>();
  std::string text = "v[" + std::to_string(1 + shape % 3) + "] = ";
  const auto function = shape % 16 == 15 ? value(input) : std::string(pick(input, kFunctions));
  text += "pick(pcall(" + function;
  for (unsigned i = 0; i < shape / 64U + 1; ++i) text += ", " + value(input);
  return text + "))\n";
}

std::string script(FuzzInput& input) {
  std::string text =
      "local k, c, v = require 'ktstr', require 'ktstr.ctprof', {}\n"
      "local function pick(ok, ...) return (...) end\n"
      "local function calls(it)\n";
  const auto calls = input.take<std::uint8_t>() % 12;
  for (int i = 0; i < calls; ++i) text += call(input);
  text += "return v[1]\nend\npcall(calls)\nlocal t = {}\n";
  const auto fields = input.take<std::uint8_t>() % 6;
  for (int i = 0; i < fields; ++i)
    text += "t." + std::string(pick(input, kFields)) + " = " + value(input) + "\n";
  return text + "t.check = calls\nreturn k.scenario(t)\n";
}

const std::filesystem::path& directory() {
  static const std::filesystem::path path = [] {
    auto made = std::filesystem::temp_directory_path() / ("ktstr-fuzz-" + std::to_string(getpid()));
    std::filesystem::create_directories(made);
    return made;
  }();
  return path;
}

void run(const std::string& text) {
  const auto file = directory() / "script.lua";
  std::ofstream(file, std::ios::binary | std::ios::trunc) << text;
  auto host = ScriptHost::load(file, {4U << 20, 300'000, std::chrono::seconds(2), 1000});
  if (!host) return;
  host->print_with([](std::string_view) {});
  static_cast<void>(host->run_check(ktstr::engine::RunReport{}));
}

}  // namespace

/// An even first byte: calls that are chosen. An odd one: the rest is the script.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  FuzzInput input(data, size);
  if (input.take<std::uint8_t>() % 2 == 0) return run(script(input)), 0;
  const auto rest = input.rest();
  run(std::string(reinterpret_cast<const char*>(rest.data()), rest.size()));
  return 0;
}
