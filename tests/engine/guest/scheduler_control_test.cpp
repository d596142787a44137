// Schedulers played by shell scripts, in front of a directory that plays /sys/kernel/sched_ext.
#include "engine/guest/scheduler_control.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <regex>

#include "tests/temporary_directory.h"

using namespace ktstr;
using namespace ktstr::engine;
using namespace ktstr::engine::guest;
using namespace std::chrono_literals;

namespace {

/// Enables itself, and disables itself when it is asked to end; once it says so, it touches nothing more.
constexpr const char* kGood = R"(
echo "hello from $NAME"
trap 'kill $! 2>/dev/null; rm -r "$DIR/root"; echo disabled > "$DIR/state"; exit 0' TERM
mkdir -p "$DIR/root"; echo "$NAME" > "$DIR/root/ops"; echo enabled > "$DIR/state"
cat "$DIR/fifo" & wait $!
echo "the watchdog barked"; rm -r "$DIR/root"; echo disabled > "$DIR/state"; exit 3)";

/// A problem with the CPU time in it as TIME.
std::string without_time(const std::optional<std::string>& problem) {
  static const std::regex kTime("used [0-9.]+[a-z]+ of CPU time");
  return std::regex_replace(problem.value_or(""), kTime, "used TIME of CPU time");
}

class FakeKernel {
 public:
  FakeKernel() {
    directory_.write("sched_ext/state", "disabled\n");
    KTSTR_CHECK(::mkfifo(path("sched_ext/fifo").c_str(), 0600) == 0);
    control.emplace(SchedExtPlaces{directory_.path() / "sched_ext", "/dev/null"});
  }

  protocol::AttachScheduler scheduler(const std::string& name, const std::string& script = kGood) const {
    protocol::AttachScheduler request;
    request.name = name;
    request.program = "/bin/sh";
    const auto variables = "DIR='" + (directory_.path() / "sched_ext").string() + "'; NAME='" + name + "'; ";
    request.args = {"-c", variables + script};
    return request;
  }
  /// One that attaches as libbpf does, held until the former one is gone.
  protocol::AttachScheduler preloaded(const std::string& name, std::vector<std::string> more = {}) const {
    protocol::AttachScheduler request;
    request.name = name;
    request.program = ATTACHING_PROGRAM;
    request.args = {directory_.path() / "sched_ext", name};
    request.args.insert(request.args.end(), more.begin(), more.end());
    request.preloaded = true;
    return request;
  }
  /// Returns once the scheduler waits for it, which is then about to end.
  void let_die() const { const Fd fifo(::open(path("sched_ext/fifo").c_str(), O_WRONLY | O_CLOEXEC)); }
  [[nodiscard]] std::string text(const std::string& name) const {
    std::ifstream file(directory_.path() / name);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  void write(const std::string& name, const std::string& content) const { directory_.write(name, content); }
  [[nodiscard]] std::string path(const std::string& name) const { return directory_.path() / name; }

 private:
  test::TemporaryDirectory directory_;

 public:
  std::optional<SchedulerControl> control;
};

template <class T>
T must(Result<T> result) {
  REQUIRE_MESSAGE(result.has_value(), result.error().message);
  return std::move(*result);
}

}  // namespace

TEST_CASE("a scheduler is attached, and detached") {
  FakeKernel kernel;
  const auto attached = must(kernel.control->attach(kernel.scheduler("good")));
  CHECK_FALSE(attached.problem);
  REQUIRE(attached.current);
  CHECK(attached.current->attached);
  CHECK(attached.current->ops == "good");
  CHECK(attached.current->state == "enabled");
  CHECK(::kill(*attached.current->pid, 0) == 0);

  const auto again = kernel.control->attach(kernel.scheduler("other"));
  REQUIRE_FALSE(again);
  CHECK(again.error().message == "the scheduler good is attached already");

  const auto detached = must(kernel.control->detach(10s));
  CHECK_FALSE(detached.problem);
  REQUIRE(detached.former);
  CHECK_FALSE(detached.former->death);
  CHECK_FALSE(detached.former->attached);
  REQUIRE(detached.former->exit);
  CHECK(detached.former->exit->how == "exited");
  CHECK(detached.former->exit->code == 0);
  CHECK(detached.former->log == std::vector<std::string>{"hello from good"});
  CHECK(::kill(*attached.current->pid, 0) == -1);
  CHECK(kernel.text("sched_ext/state") == "disabled\n");
}

TEST_CASE("control files are written before the program starts") {
  FakeKernel kernel;
  kernel.write("sysctl", "0");
  auto request = kernel.scheduler("good");
  request.before = {{kernel.path("sysctl"), "1"}};
  CHECK_FALSE(must(kernel.control->attach(request)).problem);
  CHECK(kernel.text("sysctl") == "1");
  request.before = {{kernel.path("missing"), "1"}};
  const auto replaced = must(kernel.control->replace(request));
  REQUIRE(replaced.problem);
  CHECK(replaced.problem->ends_with("No such file or directory"));
}

TEST_CASE("a program that ends before the kernel runs it is refused with its log") {
  FakeKernel kernel;
  const auto changed = must(kernel.control->attach(kernel.scheduler("bad", "echo 'no such map'; exit 7")));
  CHECK(changed.problem == "its program ended (exited 7) before the kernel ran it");
  REQUIRE(changed.current);
  CHECK_FALSE(changed.current->attached);
  CHECK(changed.current->log == std::vector<std::string>{"no such map"});
  CHECK_FALSE(kernel.control->query().current);
}

TEST_CASE("a program that never attaches is killed at its deadline") {
  FakeKernel kernel;
  auto request = kernel.scheduler("slow", "trap '' TERM; sleep 1000 & wait $!");
  request.timeout = 100ms;
  const auto changed = must(kernel.control->attach(request));
  CHECK(without_time(changed.problem) ==
        "the kernel does not run it after 100ms (sched_ext is disabled; its program used TIME of CPU time)");
  REQUIRE(changed.current->exit);
  CHECK(changed.current->exit->how == "timed out");
  CHECK(changed.current->exit->code == SIGKILL);
}

TEST_CASE("a program that can't be executed is told with the step and the reason") {
  FakeKernel kernel;
  auto request = kernel.scheduler("none");
  request.program = kernel.path("none");
  const auto changed = must(kernel.control->attach(request));
  CHECK(changed.problem == "start " + kernel.path("none") + ": execute it: No such file or directory");
}

TEST_CASE("death is noticed once, with the program's last words, and a restart brings it back") {
  FakeKernel kernel;
  const auto attached = must(kernel.control->attach(kernel.scheduler("good")));
  const Fd process(static_cast<int>(::syscall(SYS_pidfd_open, *attached.current->pid, 0)));
  kernel.let_die();
  pollfd end{process.get(), POLLIN, 0};
  REQUIRE(::poll(&end, 1, 10'000) == 1);
  const auto changed = kernel.control->query();
  REQUIRE(changed.current);
  CHECK(changed.current->death == "its program ended (exited 3)");
  CHECK(changed.current->log.back() == "the watchdog barked");
  CHECK_FALSE(kernel.control->query().current);

  const auto restarted = must(kernel.control->restart());
  CHECK_FALSE(restarted.problem);
  CHECK_FALSE(restarted.former);
  CHECK(restarted.current->attached);
  CHECK_FALSE(restarted.gap_ns);
}

TEST_CASE("a program that outlives its scheduler is dead too") {
  FakeKernel kernel;
  CHECK_FALSE(must(kernel.control->attach(kernel.scheduler("good"))).problem);
  kernel.write("sched_ext/state", "disabled\n");
  const auto changed = kernel.control->query();
  REQUIRE(changed.current);
  CHECK(changed.current->death == "the kernel no longer runs it, though its program has not ended");
  REQUIRE(changed.current->exit);
}

TEST_CASE("a replacement ends the one and starts the other, and measures the time between") {
  FakeKernel kernel;
  CHECK_FALSE(must(kernel.control->attach(kernel.scheduler("one"))).problem);
  const auto changed = must(kernel.control->replace(kernel.scheduler("two")));
  CHECK_FALSE(changed.problem);
  REQUIRE(changed.former);
  CHECK(changed.former->name == "one");
  CHECK_FALSE(changed.former->death);
  CHECK(changed.current->ops == "two");
  CHECK(changed.gap_ns);
}

TEST_CASE("a replacement that does not load tells what became of the former one") {
  FakeKernel kernel;
  CHECK_FALSE(must(kernel.control->attach(kernel.scheduler("one"))).problem);
  const auto changed = must(kernel.control->replace(kernel.scheduler("two", "echo broken; exit 1")));
  CHECK(changed.problem == "its program ended (exited 1) before the kernel ran it");
  REQUIRE(changed.former);
  CHECK(changed.former->name == "one");
  CHECK(changed.former->exit->code == 0);
  CHECK(changed.current->log == std::vector<std::string>{"broken"});
  CHECK(kernel.text("sched_ext/state") == "disabled\n");
}

TEST_CASE("sched_ext that somebody else has enabled is left alone") {
  FakeKernel kernel;
  kernel.write("sched_ext/state", "enabled\n");
  kernel.write("sched_ext/root/ops", "foreign\n");
  const auto changed = kernel.control->attach(kernel.scheduler("good"));
  REQUIRE_FALSE(changed);
  CHECK(changed.error().message ==
        "sched_ext is enabled already, by foreign, which the agent has not started");
}

TEST_CASE("one of the kernel's own is turned on and off by writing") {
  FakeKernel kernel;
  kernel.write("switch", "0");
  protocol::AttachScheduler request;
  request.name = "own";
  request.enable = {{kernel.path("switch"), "1"}};
  request.disable = {{kernel.path("switch"), "2"}};
  const auto attached = must(kernel.control->attach(request));
  CHECK_FALSE(attached.problem);
  CHECK(attached.current->attached);
  CHECK(kernel.text("switch") == "1");
  CHECK(kernel.control->query().current->attached);
  CHECK_FALSE(must(kernel.control->detach(1s)).problem);
  CHECK(kernel.text("switch") == "2");
}

TEST_CASE("without a scheduler there is nothing to detach or to ask about") {
  FakeKernel kernel;
  const auto detached = must(kernel.control->detach(1s));
  CHECK_FALSE(detached.former);
  CHECK_FALSE(detached.problem);
  CHECK_FALSE(kernel.control->query().current);
  CHECK_FALSE(kernel.control->restart());
}

TEST_CASE("a preloaded successor loads while the former one runs, and attaches when it is gone") {
  FakeKernel kernel;
  CHECK_FALSE(must(kernel.control->attach(kernel.scheduler("one"))).problem);
  const auto changed = must(kernel.control->replace(kernel.preloaded("two")));
  CHECK_MESSAGE(!changed.problem, changed.problem.value_or(""));
  REQUIRE(changed.former);
  CHECK_FALSE(changed.former->death);
  REQUIRE(changed.former->exit);
  CHECK(changed.former->exit->code == 0);
  REQUIRE(changed.current);
  CHECK(changed.current->attached);
  CHECK(changed.current->log == std::vector<std::string>{"two loads while sched_ext is enabled by one",
                                                         "two attaches while sched_ext is disabled"});
  REQUIRE(changed.gap_ns);
  CHECK(*changed.gap_ns == *changed.current->attached_ns - *changed.former->gone_ns);

  const auto restarted = must(kernel.control->restart());
  CHECK_FALSE(restarted.problem);
  CHECK(restarted.current->log.front() == "two loads while sched_ext is enabled by two");
  CHECK_FALSE(must(kernel.control->detach(10s)).problem);
}

TEST_CASE("a preloaded successor that does not come to its attach leaves the former one as it was") {
  FakeKernel kernel;
  CHECK_FALSE(must(kernel.control->attach(kernel.scheduler("one"))).problem);
  const auto changed = must(kernel.control->replace(kernel.preloaded("two", {"fail"})));
  REQUIRE(changed.problem);
  CHECK(changed.problem->starts_with("its program ended (exited 5) before it was held at its attach"));
  CHECK_FALSE(changed.former);
  CHECK(changed.current->name == "two");
  const auto asked = kernel.control->query();
  REQUIRE(asked.current);
  CHECK(asked.current->name == "one");
  CHECK(asked.current->attached);
}

TEST_CASE("a preloaded successor that is never held is killed at its deadline") {
  FakeKernel kernel;
  CHECK_FALSE(must(kernel.control->attach(kernel.scheduler("one"))).problem);
  auto request = kernel.scheduler("slow", "sleep 1000 & wait $!");
  request.preloaded = true;
  request.timeout = 100ms;
  const auto changed = must(kernel.control->replace(request));
  CHECK(without_time(changed.problem) ==
        "it did not come to its attach, bpf(BPF_LINK_CREATE) of a struct_ops map, within 100ms; its program "
        "used TIME of CPU time");
  CHECK(kernel.control->query().current->attached);
}

TEST_CASE("where there is nothing to wait for, a preloaded one is attached at once") {
  FakeKernel kernel;
  const auto attached = must(kernel.control->attach(kernel.preloaded("two")));
  CHECK_FALSE(attached.problem);
  CHECK(attached.current->attached);
}

TEST_CASE("a program that makes itself a daemon is followed") {
  FakeKernel kernel;
  REQUIRE(::prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);  // as the agent is
  const auto attached =
      must(kernel.control->attach(kernel.scheduler("good", "(" + std::string(kGood) + ") & exit 0")));
  CHECK_MESSAGE(!attached.problem, attached.problem.value_or(""));
  REQUIRE(attached.current);
  CHECK(attached.current->attached);
  const auto detached = must(kernel.control->detach(10s));
  REQUIRE(detached.former);
  REQUIRE(detached.former->exit);
  CHECK(detached.former->exit->how == "exited");
  const auto& log = detached.former->log;
  CHECK(std::any_of(log.begin(), log.end(), [&](const auto& line) {
    return line.find("has made itself a daemon: process " + std::to_string(*detached.former->pid)) !=
           std::string::npos;
  }));
  CHECK(::prctl(PR_SET_CHILD_SUBREAPER, 0) == 0);
}

TEST_CASE("an end that was seen from outside is waited for") {
  FakeKernel kernel;
  const auto attached = must(kernel.control->attach(kernel.scheduler("good")));
  kernel.let_die();
  const auto changed = kernel.control->query(10s);
  REQUIRE(changed.current);
  CHECK(changed.current->death);
  REQUIRE(changed.current->gone_ns);
  CHECK(*changed.current->gone_ns > *attached.current->attached_ns);
  CHECK(*changed.current->gone_ns < changed.answered_ns);
}
