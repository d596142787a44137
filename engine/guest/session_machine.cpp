// Session's requests that concern the machine and its kernel.
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/random.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <limits>
#include <span>

#include "engine/guest/clock.h"
#include "engine/guest/kernel_file.h"
#include "engine/guest/session.h"
#include "engine/protocol/base64.h"
#include "introspect/ctprof/capture.h"
#include "introspect/ctprof/file.h"

namespace ktstr::engine::guest {

using namespace protocol;

namespace {

/// JSON strings are UTF-8; what a file holds need not be.
void make_ascii(std::string& text) {
  for (auto& c : text)
    if (static_cast<unsigned char>(c) > 0x7e) c = '?';
}

/// struct rand_pool_info of linux/random.h with its array's size.
struct EntropyForPool {
  int entropy_bits = 0;
  int bytes = 0;
  std::uint8_t buffer[kMaxEntropyBytes] = {};
};

/// RNDADDENTROPY only mixes; a generator that is ready would use what was mixed at its next re-seeding, up to
/// a minute later. RNDRESEEDCRNG re-seeds now: the new key has a new generation, by which every CPU's own
/// state, batch of random numbers and vDSO state is out of date (drivers/char/random.c since 5.18:
/// crng_reseed, crng_make_state). The entropy is credited, so that a generator which was not ready is.
Status reseed(std::span<const std::uint8_t> entropy) {
  const Fd random(::open("/dev/urandom", O_WRONLY | O_CLOEXEC));
  if (!random) return system_error("open /dev/urandom");
  EntropyForPool pool;
  pool.entropy_bits = static_cast<int>(entropy.size() * 8);
  pool.bytes = static_cast<int>(entropy.size());
  std::ranges::copy(entropy, pool.buffer);
  if (::ioctl(random.get(), RNDADDENTROPY, &pool) < 0) return system_error("add entropy");
  if (::ioctl(random.get(), RNDRESEEDCRNG) < 0) return system_error("re-seed the random generator");
  return ok();
}

constexpr char kBpfSwitch[] = "/proc/sys/kernel/bpf_stats_enabled";
constexpr char kSchedstatsSwitch[] = "/proc/sys/kernel/sched_schedstats";

Result<std::optional<bool>> set_switch(const std::string& path, bool on) {
  if (on) {
    const auto written = write_control(path, "1");
    if (!written && written.error().code != ErrorCode::kNotFound) return Error(written.error());
  }
  const auto found = read_file(path, 16);
  if (!found && found.error().code == ErrorCode::kNotFound) return std::optional<bool>();
  if (!found) return Error(found.error());
  return std::optional(!found->text.empty() && found->text.front() != '0');
}

}  // namespace

Result<FileContent> Session::handle(const ReadFile& request) {
  auto content = KTSTR_TRY(read_file(request.path, request.limit, request.offset));
  make_ascii(content.text);
  return FileContent{std::move(content.text), content.truncated};
}

/// Mixes the entropy into the kernel's generator, has it re-seed, so that the next random number on any CPU
/// depends on it, then sets CLOCK_REALTIME. Errors: kInvalidArgument for too little or too much entropy, or a
/// time that no clock can have; kUnavailable unless this is PID 1; kIo, what the kernel refuses.
Status Session::handle(const Refresh& request) {
  const auto size = request.entropy.size();
  if (size < kMinEntropyBytes || size > kMaxEntropyBytes)
    return invalid_argument("refresh: " + std::to_string(size) + " bytes of entropy");
  if (request.realtime_ns > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
    return invalid_argument("refresh: no clock shows such a time");
  if (::getpid() != 1) return Error{ErrorCode::kUnavailable, "refresh: this agent does not own its kernel"};
  KTSTR_TRY(reseed(request.entropy));
  const auto time = to_timespec(request.realtime_ns);
  if (::clock_settime(CLOCK_REALTIME, &time) < 0) return system_error("set the clock");
  return ok();
}

/// Errors: kIo, a switch that is there and can't be written or read.
Result<StatisticsSwitches> Session::handle(const SetStatistics& request) {
  const bool owns_kernel = ::getpid() == 1;
  StatisticsSwitches switches;
  switches.bpf_programs = KTSTR_TRY(set_switch(kBpfSwitch, request.on && owns_kernel));
  switches.schedstats = KTSTR_TRY(set_switch(kSchedstatsSwitch, request.on && owns_kernel));
  return switches;
}

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
