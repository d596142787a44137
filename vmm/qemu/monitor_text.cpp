#include "vmm/qemu/monitor_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "vmm/qemu/lines.h"

namespace ktstr::vmm::qemu {
namespace {

template <class T>
std::optional<T> leading_number(std::string_view text, int base) {
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc{}) return std::nullopt;
  return value;
}

const std::int64_t* integer(const Value& object, std::string_view key) {
  const auto* member = object.find(key);
  return member ? member->get_if<std::int64_t>() : nullptr;
}

}  // namespace

std::vector<std::optional<std::uint64_t>> parse_idt_bases(std::string_view text, std::size_t cpus) {
  std::vector<std::optional<std::uint64_t>> bases(cpus);
  std::optional<std::size_t> cpu;
  for (const auto line : split_lines(text)) {
    if (line.starts_with("CPU#")) cpu = leading_number<std::size_t>(line.substr(4), 10);
    if (line.starts_with("IDT=") && cpu && *cpu < cpus)
      bases[*cpu] = leading_number<std::uint64_t>(line.substr(4), 16);
  }
  return bases;
}

std::vector<std::optional<int>> parse_thread_ids(const Value& cpus_fast, std::size_t cpus) {
  std::vector<std::optional<int>> threads(cpus);
  const auto* list = cpus_fast.get_if<Value::List>();
  for (const auto& cpu : list ? *list : Value::List{}) {
    const auto* index = integer(cpu, "cpu-index");
    const auto* thread = integer(cpu, "thread-id");
    if (index && thread && *index >= 0 && static_cast<std::size_t>(*index) < cpus)
      threads[static_cast<std::size_t>(*index)] = static_cast<int>(*thread);
  }
  const auto all = threads;
  for (auto& thread : threads)
    if (std::count(all.begin(), all.end(), thread) > 1) thread.reset();
  return threads;
}

std::optional<std::string> parse_version_answer(const Value& answer) {
  const auto* qemu = answer.find("qemu");
  if (!qemu) return std::nullopt;
  const auto *major = integer(*qemu, "major"), *minor = integer(*qemu, "minor"),
             *micro = integer(*qemu, "micro");
  if (!major || !minor || !micro) return std::nullopt;
  auto version = fmt::format("{}.{}.{}", *major, *minor, *micro);
  const auto* package = answer.find("package");
  const auto* name = package ? package->get_if<std::string>() : nullptr;
  if (name && !name->empty()) version += fmt::format(" ({})", *name);
  return version;
}

}  // namespace ktstr::vmm::qemu
