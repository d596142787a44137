#include "engine/guest/sched_ext_files.h"

#include <doctest/doctest.h>

#include "tests/temporary_directory.h"

using namespace ktstr;
using namespace ktstr::engine::guest;
using Lines = std::vector<std::string>;

TEST_CASE("the state and the name of the root scheduler") {
  const test::TemporaryDirectory directory;
  directory.write("state", "enabled\n");
  auto state = read_sched_ext(directory.path());
  REQUIRE(state);
  CHECK(state->state == "enabled");
  CHECK_FALSE(state->ops);
  directory.write("root/ops", "simple\n");
  state = read_sched_ext(directory.path());
  REQUIRE(state);
  CHECK(state->ops == "simple");
}

TEST_CASE("a kernel without sched_ext is told from a failed read") {
  const test::TemporaryDirectory directory;
  const auto state = read_sched_ext(directory.path() / "none");
  REQUIRE_FALSE(state);
  CHECK(state.error().code == ErrorCode::kUnavailable);
  CHECK(state.error().message == "the kernel has no sched_ext");
}

TEST_CASE("the kernel's messages about sched_ext are kept with their backtraces") {
  KernelLog log("/dev/null");
  log.add_record("6,1,100,-;sched_ext: BPF scheduler \"simple\" enabled\n");
  log.add_record("4,2,101,-;something else\n");
  log.add_record("6,3,102,-;  indented, but no backtrace\n");
  CHECK_FALSE(log.has_error());
  log.add_record(
      "3,4,103,-;sched_ext: BPF scheduler \"simple\" disabled (runnable task stall)\n SUBSYSTEM=x\n");
  log.add_record("3,5,103,-;sched_ext: simple: worker[12] failed to run for 2.6s\n");
  log.add_record("4,6,104,-;   scx_watchdog_workfn+0x1c0/0x2f0\n");
  log.add_record("6,7,105,-;random: crng init done\n");
  log.add_record("4,8,106,-;   no backtrace any more\n");
  CHECK(log.has_error());
  CHECK(log.lines() == Lines{"sched_ext: BPF scheduler \"simple\" enabled",
                             "sched_ext: BPF scheduler \"simple\" disabled (runnable task stall)",
                             "sched_ext: simple: worker[12] failed to run for 2.6s",
                             "   scx_watchdog_workfn+0x1c0/0x2f0"});
}

TEST_CASE("a kernel log that can't be opened has no lines") {
  KernelLog log("/nonexistent/kmsg");
  log.update();
  CHECK(log.lines().empty());
}
