// Session's requests that concern profiles of threads.
#include <fmt/format.h>

#include "engine/guest/session.h"
#include "engine/protocol/base64.h"
#include "introspect/ctprof/capture.h"
#include "introspect/ctprof/file.h"

namespace ktstr::engine::guest {

using namespace protocol;

/// By one reader, which leaves its CPU to others half of the time: the agent's priority is above that of all
/// it captures.
Result<Captured> Session::handle(const CaptureThreads&) {
  capture_.clear();
  introspect::ctprof::CaptureOptions options;
  options.workers = 1;
  options.rests = true;
  const auto snapshot = KTSTR_TRY(introspect::ctprof::capture(options));
  auto bytes = KTSTR_TRY(introspect::ctprof::compress_snapshot(snapshot));
  if (bytes.size() > kMaxCaptureBytes)
    return Error{ErrorCode::kOutOfRange,
                 fmt::format("a capture of {} threads has {} bytes, more than the {} that one may have",
                             snapshot.threads.size(), bytes.size(), kMaxCaptureBytes)};
  capture_ = std::move(bytes);
  return Captured{capture_.size()};
}

Result<CapturePart> Session::handle(const ReadCapture& request) {
  if (request.offset >= capture_.size())
    return Error{ErrorCode::kOutOfRange, "the capture has no byte " + std::to_string(request.offset)};
  return CapturePart{encode_base64(std::string_view(capture_).substr(request.offset, kMaxCapturePartBytes))};
}

}  // namespace ktstr::engine::guest
