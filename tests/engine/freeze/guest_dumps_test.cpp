#include "engine/freeze/guest_dumps.h"

#include <doctest/doctest.h>

#include "tests/engine/freeze/fake_machine.h"
#include "tests/temporary_directory.h"

using namespace ktstr;
using namespace ktstr::engine;
using introspect::DumpCause;

namespace {

struct Fixture {
  engine::testing::FakeMachine machine{1};
  FreezeCoordinator coordinator{
      machine, [](const auto&, auto) { return [] { return introspect::FailureDumpReport{}; }; }, {}};
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "dumps are written below the directory and can be read back") {
  const test::TemporaryDirectory directory;
  DumpRecorder recorder(coordinator, {directory.path() / "dumps", "swap schedulers", {}});
  REQUIRE(recorder.take(DumpCause::kRequested, "before/after", {}));
  REQUIRE(recorder.take(DumpCause::kRequested, "before/after", {}));
  REQUIRE(recorder.take(DumpCause::kSchedulerError, {}, "exit_kind turned to 1026"));
  const auto taken = recorder.collect();
  REQUIRE(taken.size() == 3);
  CHECK(*taken[0].report.file ==
        (directory.path() / "dumps/swap_schedulers.before_after.dump.json").string());
  CHECK(*taken[1].report.file ==
        (directory.path() / "dumps/swap_schedulers.before_after.dump-2.json").string());
  CHECK(*taken[2].report.file == (directory.path() / "dumps/swap_schedulers.failure-dump.json").string());
  CHECK(taken[2].report.cause == "scheduler_error");
  const auto read = introspect::read_dump(*taken[2].report.file);
  REQUIRE_MESSAGE(read, read.error().message);
  CHECK(std::get<introspect::FailureDumpReport>(*read).origin.detail == "exit_kind turned to 1026");
  CHECK(recorder.collect().empty());
}

TEST_CASE_FIXTURE(Fixture, "a dump whose file can't be written is kept, and the report says why") {
  DumpRecorder recorder(coordinator, {"/proc/nowhere", "stem", {}});
  REQUIRE(recorder.take(DumpCause::kRequested, "a", {}));
  const auto taken = recorder.collect();
  REQUIRE(taken.size() == 1);
  CHECK_FALSE(taken[0].report.file);
  CHECK(taken[0].report.problem->find("/proc/nowhere") != std::string::npos);
}
