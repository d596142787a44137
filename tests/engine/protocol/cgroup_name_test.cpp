#include "engine/protocol/cgroup_name.h"

#include <doctest/doctest.h>

#include <string>

namespace ktstr::engine::protocol {

TEST_CASE("plain and nested cgroup names are accepted") {
  for (const auto* name : {"web", "a/b", "a/b/c", "batch-1", "x_y", "v1.2", "cpus", "...a",
                           "user.slice/user@1000.service", "kubepods.slice/pod1.slice:cri-containerd:ab",
                           "a b", "\xc3\xa4", "dev-disk-by\\x2dlabel.swap", "a,b=c+d"})
    CHECK_MESSAGE(check_cgroup_name(name).has_value(), name);
}

TEST_CASE("names that could leave the root or meet the kernel's files are refused") {
  for (const auto* name : {"",
                           "/",
                           "/a",
                           "a/",
                           "a//b",
                           ".",
                           "..",
                           "../a",
                           "a/..",
                           "a/../b",
                           "a/./b",
                           "a\nb",
                           "\x1b[31m",
                           "a\x7f",
                           "\xff",
                           "\xe2\x80\xae"
                           "rtl",
                           "\xc2\x9b"
                           "31m",
                           "cgroup.procs",
                           "a/cpu.max",
                           "memory.max"})
    CHECK_MESSAGE(!check_cgroup_name(name).has_value(), name);
}

TEST_CASE("a refusal says which rule the name breaks") {
  CHECK(check_cgroup_name("a/..").error().message ==
        "\"a/..\" is not a cgroup name: \".\" and \"..\" are not allowed");
  CHECK(check_cgroup_name(std::string(256, 'x'))
            .error()
            .message.ends_with("is not a cgroup name: a part between slashes is longer than 255 bytes"));
  CHECK(check_cgroup_name(std::string(4000, 'x')).error().message ==
        "a cgroup name of 4000 bytes is longer than 3072");
}

TEST_CASE("32 levels are accepted, and one more names the limit") {
  std::string name = "l1";
  for (int level = 2; level <= 32; ++level) name += "/l" + std::to_string(level);
  CHECK(check_cgroup_name(name).has_value());
  CHECK(check_cgroup_name(name + "/l33").error().message.ends_with("it is nested deeper than 32"));
}

TEST_CASE("a name with a NUL byte is refused") {
  CHECK_FALSE(check_cgroup_name(std::string_view("a\0b", 3)).has_value());
}

}  // namespace ktstr::engine::protocol
