#include "engine/scenario/scheduler.h"

#include <algorithm>

namespace ktstr {

ReadStatus CustomReader<engine::SchedulerDef>::read(const Value& value, engine::SchedulerDef& out,
                                                    const ReadPlace& place, MissingMembers) {
  if (const auto* name = value.get_if<std::string>()) {
    out.path = *name;
    return {};
  }
  if (!value.get_if<Value::Object>())
    return detail::wrong_kind(value, "a scheduler: a path, a name or k.scheduler { ... }", place);
  return detail::read_record(value, out, place, MissingMembers::kKeepDefault);
}

}  // namespace ktstr

namespace ktstr::engine {
namespace {

using FlagSet = std::uint32_t;  ///< bit i: the i-th flag of the map
static_assert(kMostFlags < 32);

/// For each flag, the flags that it needs.
std::vector<FlagSet> needs_of(const SchedulerDef& def) {
  std::vector<FlagSet> needs;
  for (const auto& [name, flag] : def.flags) {
    FlagSet set = 0;
    for (const auto& need : flag.needs)
      set |= FlagSet{1} << std::distance(def.flags.begin(), def.flags.find(need));
    needs.push_back(set);
  }
  return needs;
}

bool is_closed(FlagSet set, const std::vector<FlagSet>& needs) {
  for (std::size_t i = 0; i < needs.size(); ++i)
    if (set >> i & 1 && (needs[i] & ~set)) return false;
  return true;
}

std::vector<std::string> names_of(FlagSet set, const SchedulerDef& def) {
  std::vector<std::string> names;
  std::size_t i = 0;
  for (const auto& [name, flag] : def.flags)
    if (set >> i++ & 1) names.push_back(name);
  return names;
}

Error bad_command(std::string_view command) {
  return invalid_argument("\"" + std::string(command) +
                          "\" is no command that a guest can carry out: it must read \"echo VALUE > "
                          "FILE\", with a file below /proc/ or /sys/");
}

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(' ');
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(' ') - first + 1);
}

}  // namespace

std::vector<std::string> arguments(const SchedulerDef& def) {
  auto all = def.args;
  for (const auto& name : def.active) {
    const auto& args = def.flags.at(name).args;
    all.insert(all.end(), args.begin(), args.end());
  }
  return all;
}

Result<std::vector<std::vector<std::string>>> flag_profiles(const SchedulerDef& def) {
  if (def.flags.size() > kMostFlags)
    return invalid_argument("more than " + std::to_string(kMostFlags) + " flags have too many combinations");
  const auto needs = needs_of(def);
  std::vector<FlagSet> sets;
  for (FlagSet set = 0; set < FlagSet{1} << def.flags.size(); ++set)
    if (is_closed(set, needs)) sets.push_back(set);
  std::vector<std::vector<std::string>> profiles;
  for (const auto set : sets) profiles.push_back(names_of(set, def));
  std::sort(profiles.begin(), profiles.end(),
            [](const auto& a, const auto& b) { return a.size() != b.size() ? a.size() < b.size() : a < b; });
  return profiles;
}

Result<ControlCommand> parse_control_command(std::string_view command) {
  constexpr std::string_view kEcho = "echo ";
  const auto text = trimmed(command);
  const auto arrow = text.rfind('>');
  if (!text.starts_with(kEcho) || arrow == std::string_view::npos) return bad_command(command);
  ControlCommand parsed{std::string(trimmed(text.substr(arrow + 1))),
                        std::string(trimmed(text.substr(kEcho.size(), arrow - kEcho.size())))};
  const bool allowed = parsed.file.starts_with("/proc/") || parsed.file.starts_with("/sys/");
  const bool plain = parsed.file.find(' ') == std::string::npos &&
                     parsed.file.find("/..") == std::string::npos &&
                     parsed.value.find_first_of("|&;<>$`\"'\\\n") == std::string::npos;
  if (!allowed || !plain || parsed.value.empty()) return bad_command(command);
  return parsed;
}

}  // namespace ktstr::engine
