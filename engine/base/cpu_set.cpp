#include "engine/base/cpu_set.h"

#include <charconv>

namespace ktstr {

CpuSet::CpuSet(std::initializer_list<std::size_t> cpus) {
  for (const auto cpu : cpus) add(cpu);
}

CpuSet CpuSet::range(std::size_t first, std::size_t last) {
  CpuSet set;
  for (auto cpu = first; cpu < last; ++cpu) set.add(cpu);
  return set;
}

Result<CpuSet> CpuSet::parse(std::string_view list) {
  const Error bad{ErrorCode::kInvalidArgument,
                  "\"" + std::string(list) + "\" is not a CPU list such as \"0-3,8\""};
  CpuSet set;
  while (!list.empty()) {
    const auto item = list.substr(0, list.find(','));
    list.remove_prefix(item.size());
    if (list.size() == 1) return bad;
    if (!list.empty()) list.remove_prefix(1);
    const auto dash = item.find('-');
    const auto number = [](std::string_view text, std::size_t& out) {
      const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
      return error == std::errc{} && end == text.data() + text.size() && out < kCapacity;
    };
    std::size_t first = 0;
    std::size_t last = 0;
    if (!number(item.substr(0, dash), first)) return bad;
    last = first;
    if (dash != std::string_view::npos && !number(item.substr(dash + 1), last)) return bad;
    if (last < first) return bad;
    for (auto cpu = first; cpu <= last; ++cpu) set.add(cpu);
  }
  return set;
}

std::vector<std::size_t> CpuSet::to_vector() const {
  std::vector<std::size_t> cpus;
  for (auto cpu = bits_._Find_first(); cpu < kCapacity; cpu = bits_._Find_next(cpu)) cpus.push_back(cpu);
  return cpus;
}

std::string CpuSet::to_string() const {
  std::string text;
  const auto cpus = to_vector();
  for (std::size_t i = 0; i < cpus.size();) {
    std::size_t end = i + 1;
    while (end < cpus.size() && cpus[end] == cpus[end - 1] + 1) ++end;
    if (!text.empty()) text += ',';
    text += std::to_string(cpus[i]);
    if (end - i > 1) text += '-' + std::to_string(cpus[end - 1]);
    i = end;
  }
  return text;
}

}  // namespace ktstr
