#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include <cstdio>

#include "tests/skip.h"

namespace {

bool something_ran = false;
bool something_skipped = false;

/// Notes of each case whether it was skipped.
struct WatchSkips : doctest::IReporter {
  explicit WatchSkips(const doctest::ContextOptions&) {}
  void test_case_start(const doctest::TestCaseData&) override { ktstr::case_skipped = false; }
  void test_case_end(const doctest::CurrentTestCaseStats&) override {
    (ktstr::case_skipped ? something_skipped : something_ran) = true;
  }
  void report_query(const doctest::QueryData&) override {}
  void test_run_start() override {}
  void test_run_end(const doctest::TestRunStats&) override {}
  void test_case_reenter(const doctest::TestCaseData&) override {}
  void test_case_exception(const doctest::TestCaseException&) override {}
  void subcase_start(const doctest::SubcaseSignature&) override {}
  void subcase_end() override {}
  void log_assert(const doctest::AssertData&) override {}
  void log_message(const doctest::MessageData&) override {}
  void test_case_skipped(const doctest::TestCaseData&) override {}
};
DOCTEST_REGISTER_LISTENER("watch_skips", 1, WatchSkips);

}  // namespace

/// Each line is out when it is written, to a file or pipe too: a test that hangs shows how far it came.
int main(int argc, char** argv) {
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  const int failed = doctest::Context(argc, argv).run();
  return failed == 0 && something_skipped && !something_ran ? ktstr::kSkippedExitCode : failed;
}
