#include "engine/report/printable_report.h"

#include "engine/base/make_printable.h"

namespace ktstr::engine {
namespace {

template <class T>
constexpr bool is_bulk = std::is_same_v<T, std::optional<introspect::MonitorReport>> ||
                         std::is_same_v<T, std::vector<WorkerGroup>>;

void show_lines(std::optional<std::string>& shown, const std::optional<std::string>& text) {
  if (text) shown = printable_lines(*text, "");
}

}  // namespace

RunReport printable_report(const RunReport& report) {
  RunReport shown;
  for_each_field<RunReport>([&](const auto& field) {
    auto& member = shown.*field.member;
    if constexpr (!is_bulk<std::remove_cvref_t<decltype(member)>>) {
      member = report.*field.member;
      make_printable(member);
    }
  });
  show_lines(shown.console_tail, report.console_tail);
  for (std::size_t i = 0; i < report.schedulers.size(); ++i)
    if (const auto& record = report.schedulers[i].exit_record)
      show_lines(shown.schedulers[i].exit_record->dump, record->dump);
  return shown;
}

}  // namespace ktstr::engine
