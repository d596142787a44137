#include "engine/base/nearest.h"

#include <doctest/doctest.h>

namespace ktstr {

constexpr std::string_view kNames[] = {"cpuset", "duration", "topology"};

TEST_CASE("nearest_name finds a plausible misspelling and nothing else") {
  CHECK(nearest_name("cpuste", kNames) == "cpuset");
  CHECK(nearest_name("topologi", kNames) == "topology");
  CHECK_FALSE(nearest_name("xyzzyplugh", kNames).has_value());
}

TEST_CASE("did_you_mean lists the known names when nothing is near") {
  CHECK(did_you_mean("duratoin", kNames) == " (did you mean \"duration\"?)");
  CHECK(did_you_mean("zzzzzzzz", kNames) == " (known: cpuset, duration, topology)");
}

}  // namespace ktstr
