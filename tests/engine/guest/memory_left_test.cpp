#include "engine/guest/memory_left.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include "engine/guest/worker_state.h"

namespace ktstr::engine::guest {

TEST_CASE("a few workers fit, and too many are refused with both numbers") {
  CHECK(check_memory_for(1));
  const auto refused = check_memory_for(std::size_t{1} << 40);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::kUnavailable);
  CHECK(refused.error().message.starts_with(
      "out of memory: 1099511627776 more workers need about 107374182400 MB, the guest has "));
}

TEST_CASE("no memory in the middle of a launch tells how far it came") {
  CHECK(out_of_memory(100, 1'000).message ==
        "out of memory: after 100 of 1000 workers; all need about 97 MB");
}

TEST_CASE("a task's own schedstat is that of its number, and a task that is not there has none") {
  const auto own = read_schedstat(0);
  const auto same = read_schedstat(::getpid());
  REQUIRE(own.has_value() == same.has_value());
  if (own) {
    CHECK(own->run_count > 0);
    CHECK(same->cpu_time_ns >= own->cpu_time_ns);
  }
  CHECK_FALSE(read_schedstat(0x7fff'fffe));
}

}  // namespace ktstr::engine::guest
