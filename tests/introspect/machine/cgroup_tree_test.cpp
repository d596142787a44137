#include "introspect/machine/cgroup_tree.h"

#include <doctest/doctest.h>

#include "tests/introspect/machine/machine_guest.h"

namespace ktstr::introspect::test {
namespace {

Walked<CgroupNode> walk(const Kernel& kernel) {
  return CgroupTree::create(kernel).value().walk(kernel);
}

}  // namespace

TEST_CASE("a hierarchy without cgroups is its root") {
  MachineGuest guest;
  const auto kernel = guest.attach();
  const auto walked = walk(kernel);
  CHECK(walked.complete());
  REQUIRE(walked.items.size() == 1);
  CHECK(walked.items[0].path == "/");
  CHECK(walked.items[0].address == guest.root_cgroup());
}

TEST_CASE("a cgroup that is its own child ends at the depth cap") {
  MachineGuest guest;
  const auto kernel = guest.attach();
  const KernelVirt loop = guest.add_cgroup(guest.root_cgroup(), "a");
  const KernelVirt children = guest.member(loop, "cgroup", "self.children");
  const KernelVirt sibling = guest.member(loop, "cgroup", "self.sibling");
  // Its children are a list of itself.
  guest.write(children, sibling);
  guest.write(sibling, children);
  const auto walked = walk(kernel);
  CHECK_FALSE(walked.complete());
  CHECK(walked.items.size() <= kMaxCgroupDepth + 1);
}

TEST_CASE("children that go round without their head are found once each") {
  MachineGuest guest;
  const auto kernel = guest.attach();
  const KernelVirt first = guest.add_cgroup(guest.root_cgroup(), "a");
  const KernelVirt second = guest.add_cgroup(guest.root_cgroup(), "b");
  guest.write(guest.member(second, "cgroup", "self.sibling"), guest.member(first, "cgroup", "self.sibling"));
  const auto walked = walk(kernel);
  CHECK(walked.end == WalkEnd::kCorrupt);
  REQUIRE(walked.items.size() == 3);
  CHECK(walked.items[1].path == "/a");
  CHECK(walked.items[2].path == "/b");
}

TEST_CASE("a name that is none leaves its cgroup out and says so") {
  MachineGuest guest;
  const auto kernel = guest.attach();
  guest.add_cgroup(guest.root_cgroup(), "has/slash");
  guest.add_cgroup(guest.root_cgroup(), "");
  guest.add_cgroup(guest.root_cgroup(), std::string(256, 'x'));
  guest.set(guest.add_cgroup(guest.root_cgroup(), "n"), "cgroup", "kn", KernelVirt(8));
  guest.add_cgroup(guest.root_cgroup(), std::string(255, 'y'));
  const auto walked = walk(kernel);
  CHECK(walked.end == WalkEnd::kUnreadable);
  CHECK(walked.reason == "a cgroup without a readable name");
  REQUIRE(walked.items.size() == 2);
  CHECK(walked.items[1].path == "/" + std::string(255, 'y'));
}

}  // namespace ktstr::introspect::test
