#include <fmt/format.h>

#include <cmath>

#include "engine/ctprof/texts.h"

namespace ktstr::engine {
namespace {

using namespace introspect::ctprof;

std::string csv_field(std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(text);
  std::string out = "\"";
  for (const char c : text) out.append(c == '"' ? 2 : 1, c);
  return out + '"';
}

std::string number(const std::optional<double>& value) {
  return value && std::isfinite(*value) ? fmt::format("{}", *value) : "";
}

std::string value_text(std::monostate) {
  return "";
}
template <class T>
std::string value_text(const T& number_like) {
  return fmt::format("{}", number_like.value);
}
std::string value_text(const Range& range) {
  return fmt::format("{}..{}", range.lowest, range.highest);
}
std::string value_text(const AffinityUnion& affinity) {
  return affinity.cpus;
}

std::string value(const Aggregate& aggregate) {
  return csv_field(std::visit([](const auto& one) { return value_text(one); }, aggregate));
}

}  // namespace

std::string compare_csv(const Comparison& comparison) {
  std::string text = "section,group,metric,unit,before,after,change,relative,rate_per_second,reset\r\n";
  for (const auto& row : comparison.rows)
    text += fmt::format("{},{},{},{},{},{},{},{},{},{}\r\n", enum_name(row.section), csv_field(row.group),
                        csv_field(row.metric), row.unit, value(row.before), value(row.after),
                        number(row.change), number(row.relative), number(row.rate_per_second), row.reset);
  return text;
}

}  // namespace ktstr::engine
