#include "introspect/ctprof/parse/decode.h"

#include <limits>

#include "introspect/ctprof/parse/text.h"

namespace ktstr::introspect::ctprof {
namespace {

constexpr std::uint64_t kNsPerMs = 1'000'000;

std::optional<std::uint64_t> scaled(std::uint64_t value, std::uint64_t by) {
  if (__builtin_mul_overflow(value, by, &value)) return std::nullopt;
  return value;
}

std::optional<std::string> cpu_list(std::string_view text) {
  if (text.find_first_not_of("0123456789-,") != std::string_view::npos) return std::nullopt;
  return std::string(text);
}

template <class T>
std::optional<T> decode(std::string_view text, Decode how);

template <>
std::optional<std::uint64_t> decode(std::string_view text, Decode how) {
  if (how == Decode::kDotted) return parse_dotted_ns(text);
  return to_number<std::uint64_t>(text);
}
template <>
std::optional<std::int32_t> decode(std::string_view text, Decode) {
  return to_number<std::int32_t>(text);
}
template <>
std::optional<std::uint32_t> decode(std::string_view text, Decode) {
  return to_number<std::uint32_t>(text);
}
template <>
std::optional<std::string> decode(std::string_view text, Decode how) {
  if (how == Decode::kCpuList) return cpu_list(text);
  const auto policy = to_number<std::uint32_t>(text);
  return policy ? std::optional(policy_name(*policy)) : std::nullopt;
}
template <>
std::optional<char> decode(std::string_view text, Decode) {
  const bool letter = !text.empty() && ((text[0] >= 'A' && text[0] <= 'Z') || text[0] == 't');
  return letter ? std::optional(text[0]) : std::nullopt;
}
template <>
std::optional<bool> decode(std::string_view text, Decode) {
  if (text != "0" && text != "1") return std::nullopt;
  return text == "1";
}

}  // namespace

std::optional<std::uint64_t> parse_dotted_ns(std::string_view text) {
  constexpr std::size_t kDecimals = 6;
  if (text.size() <= kDecimals || text[text.size() - kDecimals - 1] != '.') return std::nullopt;
  const auto whole = to_number<std::uint64_t>(text.substr(0, text.size() - kDecimals - 1));
  const auto rest = to_number<std::uint64_t>(text.substr(text.size() - kDecimals));
  if (!whole || !rest) return std::nullopt;
  auto ns = scaled(*whole, kNsPerMs);
  if (ns && __builtin_add_overflow(*ns, *rest, &*ns)) return std::nullopt;
  return ns;
}

std::string policy_name(std::uint32_t policy) {
  constexpr std::string_view kNames[] = {"SCHED_OTHER", "SCHED_FIFO",     "SCHED_RR", "SCHED_BATCH", "",
                                         "SCHED_IDLE",  "SCHED_DEADLINE", "SCHED_EXT"};
  if (policy < std::size(kNames) && !kNames[policy].empty()) return std::string(kNames[policy]);
  return "policy " + std::to_string(policy);
}

void assign(ThreadRecord& record, const Metric& metric, std::string_view text) {
  std::visit(
      [&]<class Q>(Metric::Member<Q> member) {
        const auto value = decode<typename Q::Representation>(text, metric.source.decode);
        record.*member = value ? std::optional(Q{*value}) : std::nullopt;
      },
      metric.member);
}

void assign(ThreadRecord& record, const Metric& metric, std::optional<std::uint64_t> number) {
  if (number && metric.source.decode == Decode::kKib) number = scaled(*number, 1024);
  std::visit(
      [&]<class Q>(Metric::Member<Q> member) {
        if constexpr (std::same_as<typename Q::Representation, std::uint64_t>)
          record.*member = number ? std::optional(Q{*number}) : std::nullopt;
      },
      metric.member);
}

}  // namespace ktstr::introspect::ctprof
