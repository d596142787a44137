#include "engine/guest/kernel_file.h"

#include <doctest/doctest.h>

namespace ktstr::engine::guest {

TEST_CASE("a text's process ids stand between blanks and line ends") {
  CHECK(pids_in("12 7\n0\n345\n") == std::vector<pid_t>{12, 7, 0, 345});
  CHECK(pids_in("").empty());
  CHECK(pids_in("none \n").empty());
}

TEST_CASE("a number is that of the line with the whole key") {
  const auto* events = "low 1\noom 2\noom_kill 3\n";
  CHECK(number_of(events, "oom") == 2U);
  CHECK(number_of(events, "oom_kill") == 3U);
  CHECK(number_of("MemFree:  1 kB\nMemAvailable:   5123 kB\n", "MemAvailable") == 5123U);
}

TEST_CASE("a number that is not there is absent") {
  CHECK_FALSE(number_of("oom_kill 3\n", "oom").has_value());
  CHECK_FALSE(number_of("oom\nmax x\n", "oom").has_value());
  CHECK_FALSE(number_of("max x\n", "max").has_value());
  CHECK_FALSE(number_of("", "oom").has_value());
}

}  // namespace ktstr::engine::guest
