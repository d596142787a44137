#include "engine/guest/refresh.h"

#include <fcntl.h>
#include <linux/random.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <limits>
#include <span>

#include "engine/base/fd.h"
#include "engine/guest/clock.h"

namespace ktstr::engine::guest {
namespace {

/// struct rand_pool_info of linux/random.h with its array's size.
struct EntropyForPool {
  int entropy_bits = 0;
  int bytes = 0;
  std::uint8_t buffer[protocol::kMaxEntropyBytes] = {};
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

}  // namespace

Status refresh(const protocol::Refresh& request) {
  const auto size = request.entropy.size();
  if (size < protocol::kMinEntropyBytes || size > protocol::kMaxEntropyBytes)
    return Error{ErrorCode::kInvalidArgument, "refresh: " + std::to_string(size) + " bytes of entropy"};
  if (request.realtime_ns > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
    return Error{ErrorCode::kInvalidArgument, "refresh: no clock shows such a time"};
  if (::getpid() != 1) return Error{ErrorCode::kUnavailable, "refresh: this agent does not own its kernel"};
  KTSTR_TRY(reseed(request.entropy));
  const auto time = to_timespec(request.realtime_ns);
  if (::clock_settime(CLOCK_REALTIME, &time) < 0) return system_error("set the clock");
  return ok();
}

}  // namespace ktstr::engine::guest
