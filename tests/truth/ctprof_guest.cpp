// PID 1 of a guest that captures itself before and after what subject.h does, and sends both captures to the
// host, a frame each; instead of them a frame with an error's text.
#include <sched.h>
#include <unistd.h>

#include <chrono>

#include "engine/guest/channel.h"
#include "engine/guest/init.h"
#include "engine/protocol/frame.h"
#include "introspect/ctprof/file.h"
#include "tests/introspect/ctprof/subject.h"

namespace {

using namespace ktstr;
using namespace ktstr::introspect;

constexpr Duration kTimeout = std::chrono::seconds(60);

/// PID 1 got a real-time priority, which the subject would inherit.
Status take_ordinary_priority() {
  const sched_param none{};
  if (::sched_setscheduler(0, SCHED_OTHER, &none) < 0) return system_error("sched_setscheduler");
  return ok();
}

Status send(int channel) {
  KTSTR_TRY(take_ordinary_priority());
  const auto [before, after] = KTSTR_TRY(ctprof::subject::capture_around_subject());
  for (const auto* snapshot : {&before, &after})
    KTSTR_TRY(
        engine::protocol::send_frame(channel, KTSTR_TRY(ctprof::compress_snapshot(*snapshot)), kTimeout));
  return ok();
}

Status serve() {
  KTSTR_TRY(engine::guest::become_init());
  const auto channel = KTSTR_TRY(engine::guest::open_channel_device(kTimeout));
  auto sent = send(channel.get());
  if (!sent) sent = engine::protocol::send_frame(channel.get(), sent.error().message, kTimeout);
  engine::guest::drain_channel(channel.get());
  return sent;
}

}  // namespace

int main() {
  if (const auto served = serve(); !served)
    ::dprintf(STDERR_FILENO, "ctprof_guest: %s\n", served.error().message.c_str());
  engine::guest::end_machine();
}
