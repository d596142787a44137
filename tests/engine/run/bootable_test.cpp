#include "engine/run/bootable.h"

#include <doctest/doctest.h>

using namespace ktstr;
using namespace ktstr::engine;

namespace {

vmm::KernelMetadata kernel(bool sched_ext) {
  vmm::KernelMetadata metadata;
  metadata.release = "6.12.1";
  metadata.sched_ext = sched_ext;
  return metadata;
}

WorkGroup ext_workers() {
  WorkGroup work;
  work.workers = 1;
  work.policy = ExtPolicy{};
  return work;
}

CgroupDef ext_cgroup() {
  CgroupDef def;
  def.works = {ext_workers()};
  return def;
}

const char* const kReason = "the scenario uses the policy ext, and kernel 6.12.1 has no sched_ext";

}  // namespace

TEST_CASE("the policy ext needs a kernel with sched_ext, wherever it stands") {
  Scenario cgroup, backdrop, setup, spawn, host, add;
  cgroup.cgroups["web"] = ext_cgroup();
  backdrop.backdrop.cgroups["web"] = ext_cgroup();
  setup.steps = {{.ops = {}, .setup = {{"web", ext_cgroup()}}, .hold = {}}};
  spawn.steps = {{.ops = {SpawnOp{"web", ext_workers()}}, .setup = {}, .hold = {}}};
  host.steps = {{.ops = {SpawnHostOp{ext_workers()}}, .setup = {}, .hold = {}}};
  add.steps = {{.ops = {AddCgroupOp{"web", ext_cgroup()}}, .setup = {}, .hold = {}}};
  for (const auto& scenario : {cgroup, backdrop, setup, spawn, host, add}) {
    CHECK(unmet_requirement(scenario, kernel(false)) == kReason);
    CHECK_FALSE(unmet_requirement(scenario, kernel(true)));
  }
}

TEST_CASE("a scenario without it runs on any kernel") {
  Scenario scenario;
  scenario.cgroups["web"].works.emplace_back();
  scenario.steps = {{.ops = {StopCgroupOp{"web"}}, .setup = {}, .hold = {}}};
  CHECK_FALSE(unmet_requirement(scenario, kernel(false)));
}
