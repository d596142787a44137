#include "engine/run/ctprof_captures.h"

#include <fmt/format.h>

#include <system_error>

#include "engine/protocol/base64.h"
#include "engine/report/artifacts.h"
#include "introspect/ctprof/file.h"

namespace ktstr::engine {
namespace {

namespace ctprof = introspect::ctprof;

}  // namespace

Result<std::string> CtprofCaptures::fetch_part(std::uint64_t offset) {
  const auto part = KTSTR_TRY(guest_.ask(protocol::ReadCapture{offset}));
  return protocol::decode_base64(part.base64);
}

/// Every part but the last is full, so that there is an end whatever the guest answers.
Result<std::string> CtprofCaptures::fetch() {
  const auto captured = KTSTR_TRY(guest_.ask(protocol::CaptureThreads{}));
  if (captured.bytes > protocol::kMaxCaptureBytes)
    return corrupted(fmt::format("the agent announced a capture of {} bytes, above the limit of {}",
                                 captured.bytes, protocol::kMaxCaptureBytes));
  std::string bytes;
  while (bytes.size() < captured.bytes) {
    const auto part = KTSTR_TRY(fetch_part(bytes.size()));
    const auto expected =
        std::min<std::uint64_t>(captured.bytes - bytes.size(), protocol::kMaxCapturePartBytes);
    if (part.size() != expected)
      return corrupted(
          fmt::format("the agent sent {} bytes of a capture instead of {}", part.size(), expected));
    bytes += part;
  }
  return bytes;
}

void CtprofCaptures::write(const ctprof::Snapshot& snapshot, CtprofReport& report) const {
  const auto path = options_.directory / (artifact_name(options_.scenario, report.tag) + ".ctprof.zst");
  std::error_code error;  // the write that follows tells why
  if (path.has_parent_path()) std::filesystem::create_directories(path.parent_path(), error);
  if (const auto written = ctprof::write_snapshot(path, snapshot); written)
    report.file = path.string();
  else
    report.problem = written.error().message;
}

Status CtprofCaptures::capture(std::size_t step, const std::string& tag) {
  const auto in_context = [&](Error error) { return std::move(error).with_context("\"" + tag + "\""); };
  const auto began_ns = guest_.now_ns();
  auto bytes = fetch();
  if (!bytes) return in_context(std::move(bytes.error()));
  const auto took_ns = guest_.now_ns() - began_ns;
  auto snapshot = ctprof::parse_snapshot(*bytes, kLimits);
  if (!snapshot) return in_context(std::move(snapshot.error()));
  auto& report = reports_.emplace_back(CtprofReport{.step = static_cast<std::uint32_t>(step),
                                                    .tag = tag,
                                                    .elapsed_ns = began_ns,
                                                    .took_ns = took_ns,
                                                    .threads = snapshot->threads.size()});
  write(*snapshot, report);
  return ok();
}

}  // namespace ktstr::engine
