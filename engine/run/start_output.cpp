#include "engine/run/start_output.h"

#include <fmt/format.h>

#include <algorithm>
#include <system_error>

#include "engine/base/durable_file.h"
#include "engine/protocol/scheduler_messages.h"
#include "engine/report/artifacts.h"

namespace ktstr::engine {
namespace {

/// How much the agent reads at once: it holds that several times.
constexpr std::uint32_t kPart = 4U << 20;

struct Fetched {
  std::uint64_t lines = 0;
  bool is_cut = false;
};

/// Writes the guest's file to `path`.
Result<Fetched> fetch(Guest& guest, const std::filesystem::path& path) {
  std::error_code error;  // the write that follows tells why
  if (path.has_parent_path()) std::filesystem::create_directories(path.parent_path(), error);
  auto file = KTSTR_TRY(NewFile::beside(path));
  Fetched fetched;
  std::uint64_t offset = 0;
  while (true) {
    const auto part = KTSTR_TRY(guest.ask(protocol::ReadFile{protocol::kStartOutputFile, kPart, offset}));
    KTSTR_TRY(file.append(std::as_bytes(std::span(part.content))));
    fetched.lines += static_cast<std::uint64_t>(std::ranges::count(part.content, '\n'));
    offset += part.content.size();
    if (part.truncated && !part.content.empty() && offset < 2 * protocol::kMostStartOutput) continue;
    fetched.is_cut = part.truncated || part.content.ends_with(protocol::kStartOutputCut);
    if (!part.content.empty() && part.content.back() != '\n') ++fetched.lines;
    KTSTR_TRY(file.publish());
    return fetched;
  }
}

}  // namespace

std::string keep_start_output(Guest& guest, SchedulerReport& report, const OutputPlace& place) {
  if (report.log_lines_dropped == 0) return {};
  const auto path = place.directory / (artifact_name(place.scenario, report.name) + ".log");
  const auto fetched = fetch(guest, path);
  if (!fetched) return "; its whole output could not be kept: " + fetched.error().message;
  report.log_file = path.string();
  return fmt::format("; {} {} lines of its output are in {}", fetched->is_cut ? "the first" : "all",
                     fetched->lines - (fetched->is_cut ? 1 : 0), path.string());
}

}  // namespace ktstr::engine
