#include "engine/run/start_output.h"

#include <fmt/format.h>

#include <system_error>

#include "engine/base/durable_file.h"
#include "engine/protocol/start_output.h"
#include "engine/report/artifact_name.h"

namespace ktstr::engine {
namespace {

Result<std::string> fetch(Guest& guest) {
  const auto limit = static_cast<std::uint32_t>(protocol::kMostStartOutput);
  return KTSTR_TRY(guest.ask(protocol::ReadFile{protocol::kStartOutputFile, limit})).content;
}

Status write_file(const std::filesystem::path& path, const std::string& text) {
  std::error_code error;  // the write that follows tells why
  if (path.has_parent_path()) std::filesystem::create_directories(path.parent_path(), error);
  return write_new_file(path, text);
}

}  // namespace

std::string keep_start_output(Guest& guest, SchedulerReport& report, const OutputPlace& place) {
  if (report.log_lines_dropped == 0) return {};
  const auto path = place.directory / (artifact_name(place.scenario, report.name) + ".log");
  const auto output = fetch(guest);
  const auto kept = output ? write_file(path, *output) : Status(Error(output.error()));
  if (!kept) return "; its whole output could not be kept: " + kept.error().message;
  report.log_file = path.string();
  return fmt::format("; all {} lines of its output are in {}", report.log.size() + report.log_lines_dropped,
                     path.string());
}

}  // namespace ktstr::engine
