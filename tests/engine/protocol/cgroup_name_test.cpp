#include "engine/protocol/cgroup_name.h"

#include <doctest/doctest.h>

#include <string>

namespace ktstr::engine::protocol {

TEST_CASE("plain and nested cgroup names are accepted") {
  for (const auto* name : {"web", "a/b", "a/b/c", "batch-1", "x_y", "v1.2", "cpus", "...a"})
    CHECK_MESSAGE(check_cgroup_name(name).has_value(), name);
}

TEST_CASE("names that could leave the root or meet the kernel's files are refused") {
  for (const auto* name :
       {"", "/", "/a", "a/", "a//b", ".", "..", "../a", "a/..", "a/../b", "a/./b", "a b", "a\nb", "\xc3\xa4",
        "cgroup.procs", "a/cpu.max", "memory.max", "a/b/c/d/e/f/g/h/i"})
    CHECK_MESSAGE(!check_cgroup_name(name).has_value(), name);
}

TEST_CASE("a refusal says which rule the name breaks") {
  CHECK(check_cgroup_name("a/..").error().message ==
        "\"a/..\" is not a cgroup name: \".\" and \"..\" are not allowed");
  CHECK(check_cgroup_name(std::string(300, 'x')).error().message ==
        "a cgroup name of 300 bytes is longer than 255");
}

TEST_CASE("a name with a NUL byte is refused") {
  CHECK_FALSE(check_cgroup_name(std::string_view("a\0b", 3)).has_value());
}

}  // namespace ktstr::engine::protocol
