// scx_ktstr on real kernels: loads, attaches, leaves, and fails in each way as it is told.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>

#include "bpf/scx_ktstr/options.h"
#include "tests/bpf/scheduler_machine.h"
#include "tests/skip.h"

using namespace ktstr;
using namespace ktstr::bpf;
using namespace ktstr::bpf::testing;
using engine::CachedKernel;

namespace {

std::vector<CachedKernel> kernels_for_schedulers() {
  const auto store = engine::KernelStore::open();
  if (!store) return {};
  auto listing = store->list();
  if (!listing) return {};
  std::erase_if(listing->kernels, [](const auto& kernel) { return !kernel.metadata.can_run_schedulers(); });
  return std::move(listing->kernels);
}

/// Every name of an exit kind that the loader prints comes from the guest kernel's own types.
struct Failure {
  std::vector<std::string> arguments;
  std::string kind;     ///< as the loader prints it
  std::string message;  ///< part of what the kernel says
};

const Failure kFailures[] = {
    {{"--error", "--error-message", "out of ideas"}, "SCX_EXIT_ERROR_BPF (1025)", "out of ideas"},
    {{"--unknown-dsq"}, "SCX_EXIT_ERROR (1024)", "DSQ"},
    {{"--stall-comm", "busy", "--timeout-ms", "1000"}, "SCX_EXIT_ERROR_STALL (1026)", "busy["},
    {{"--drop-all", "--timeout-ms", "1000"}, "SCX_EXIT_ERROR_STALL (1026)", "failed to"},
    {{"--leak-every", "3", "--timeout-ms", "1000"}, "SCX_EXIT_ERROR_STALL (1026)", "failed to"},
};

void check_life(SchedulerMachine& guest) {
  const auto run = guest.run({"--name", "first_one"}, RunEnd::kSignal);
  REQUIRE_MESSAGE(run, run.error().message);
  INFO(run->output);
  CHECK(run->state == "enabled");
  CHECK(run->ops == "first_one");
  CHECK(run->exit_status == kDetached);
  CHECK(run->output.find("exit kind SCX_EXIT_UNREG (64), code 0") != std::string::npos);
  CHECK(run->state_after == "disabled");
}

void check_one_cpu(SchedulerMachine& guest) {
  const auto run = guest.run({"--only-cpu", "1"}, RunEnd::kSignal);
  REQUIRE_MESSAGE(run, run.error().message);
  INFO(run->output);
  CHECK(run->busy_cpus == "1 1 1 1");
  CHECK(run->exit_status == kDetached);
}

void check_slow_load(SchedulerMachine& guest) {
  const auto run = guest.run({"--slow-load-ms", "1500"}, RunEnd::kSignal);
  REQUIRE_MESSAGE(run, run.error().message);
  INFO(run->output);
  CHECK(run->attach_ms >= 1500);
  CHECK(run->exit_status == kDetached);
}

void check_own_exit(SchedulerMachine& guest) {
  const auto run = guest.run({"--exit", "--exit-code", "77"}, RunEnd::kItself);
  REQUIRE_MESSAGE(run, run.error().message);
  INFO(run->output);
  CHECK(run->exit_status == kDetached);
  CHECK(run->output.find("exit kind SCX_EXIT_UNREG_BPF (65), code 77") != std::string::npos);
}

void check_refusal(SchedulerMachine& guest) {
  const auto run = guest.run({"--refuse-init-task", "12"}, RunEnd::kItself);
  REQUIRE_MESSAGE(run, run.error().message);
  INFO(run->output);
  CHECK(run->exit_status == kKickedOut);
  CHECK(run->output.find("SCX_EXIT_ERROR (1024)") != std::string::npos);
  CHECK(run->output.find("init_task") != std::string::npos);
  CHECK(run->output.find("attached as") == std::string::npos);
  CHECK(run->state_after == "disabled");
}

void check_failure(SchedulerMachine& guest, const Failure& failure) {
  const auto run = guest.run(failure.arguments, RunEnd::kItself);
  REQUIRE_MESSAGE(run, run.error().message);
  INFO(failure.arguments[0], ": ", run->output);
  CHECK(run->exit_status == kKickedOut);
  CHECK(run->output.find("exit kind " + failure.kind) != std::string::npos);
  CHECK(run->output.find(failure.message) != std::string::npos);
  CHECK(run->state_after == "disabled");
}

void check_wrong_arguments(SchedulerMachine& guest) {
  const auto run = guest.run({"--no-such-switch"}, RunEnd::kItself);
  REQUIRE_MESSAGE(run, run.error().message);
  CHECK(run->exit_status == kBadUsage);
}

void check_everything(const CachedKernel& kernel) {
  INFO("kernel ", kernel.metadata.release);
  auto guest = SchedulerMachine::boot(kernel);
  REQUIRE_MESSAGE(guest, guest.error().message);
  check_life(*guest);
  check_one_cpu(*guest);
  check_slow_load(*guest);
  check_own_exit(*guest);
  check_refusal(*guest);
  check_wrong_arguments(*guest);
  for (const Failure& failure : kFailures) check_failure(*guest, failure);
}

}  // namespace

TEST_CASE("on the newest kernel scx_ktstr lives and fails as it is told") {
  const auto kernels = kernels_for_schedulers();
  if (kernels.empty()) SKIP_TEST("no kernel that runs schedulers is cached");
  if (!std::filesystem::exists(SCX_KTSTR)) SKIP_TEST("scx_ktstr is not built");
  check_everything(kernels.front());
}

TEST_CASE("on the oldest kernel scx_ktstr lives and fails as it is told") {
  const auto kernels = kernels_for_schedulers();
  if (kernels.size() < 2) SKIP_TEST("less than two kernels that run schedulers are cached");
  if (!std::filesystem::exists(SCX_KTSTR)) SKIP_TEST("scx_ktstr is not built");
  check_everything(kernels.back());
}
