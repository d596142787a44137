#include "introspect/ctprof/parse/host_files.h"

#include <set>
#include <utility>

#include "introspect/ctprof/parse/text.h"

namespace ktstr::introspect::ctprof {
namespace {

constexpr std::string_view kConfigOptions[] = {
    "CONFIG_SCHED_INFO", "CONFIG_SCHEDSTATS",         "CONFIG_SCHED_CLASS_EXT",
    "CONFIG_SCHED_CORE", "CONFIG_TASKSTATS",          "CONFIG_TASK_DELAY_ACCT",
    "CONFIG_TASK_XACCT", "CONFIG_TASK_IO_ACCOUNTING", "CONFIG_PSI"};

}  // namespace

CpuInfo parse_cpuinfo(std::string_view text) {
  CpuInfo info;
  std::set<std::string_view> packages;
  std::set<std::pair<std::string_view, std::string_view>> cores;
  std::string_view package;
  for_each_keyed_line(text, [&](std::string_view key, std::string_view value) {
    if (key == "model name" && !info.model) info.model = to_utf8(value);
    if (key == "physical id") packages.insert(package = value);
    if (key == "core id") cores.emplace(package, value);
  });
  if (!packages.empty()) info.packages = packages.size();
  if (!cores.empty()) info.cores = cores.size();
  return info;
}

std::optional<std::uint64_t> parse_meminfo(std::string_view text, std::string_view key) {
  constexpr std::string_view kUnit = " kB";
  std::optional<std::uint64_t> bytes;
  for_each_keyed_line(text, [&](std::string_view name, std::string_view value) {
    if (name != key || !value.ends_with(kUnit)) return;
    bytes = to_number<std::uint64_t>(value.substr(0, value.size() - kUnit.size()));
    if (bytes && __builtin_mul_overflow(*bytes, std::uint64_t{1024}, &*bytes)) bytes.reset();
  });
  return bytes;
}

std::map<std::string, std::string> parse_kernel_config(std::string_view text) {
  std::map<std::string, std::string> options;
  if (text.find("CONFIG_") == std::string_view::npos) return options;
  for (const auto option : kConfigOptions) options.emplace(option, "n");
  while (const auto line = next_line(text)) {
    const auto equals = line->find('=');
    if (equals == std::string_view::npos) continue;
    const auto option = options.find(std::string(line->substr(0, equals)));
    if (option != options.end()) option->second = to_utf8(line->substr(equals + 1));
  }
  return options;
}

std::optional<double> parse_loadavg(std::string_view text) {
  const auto word = next_word(text);
  double load = 0;
  if (!word) return std::nullopt;
  const auto [end, error] = std::from_chars(word->data(), word->data() + word->size(), load);
  const bool whole = error == std::errc{} && end == word->data() + word->size();
  return whole && load >= 0 ? std::optional(load) : std::nullopt;
}

}  // namespace ktstr::introspect::ctprof
