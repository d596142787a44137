#include "engine/base/child.h"

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <thread>

#include "engine/base/io.h"
#include "engine/base/pipe.h"

namespace ktstr {
namespace {

/// What a shell script prints, started by this plan.
std::string output_of(std::string script, ChildPlan plan = {}) {
  auto pipe = make_pipe().value();
  plan.arguments = {"/bin/sh", "-c", std::move(script)};
  plan.output = pipe.write_end.get();
  const auto child = start_child(std::move(plan)).value();
  pipe.write_end.reset();
  std::string text(4096, '\0');
  std::size_t size = 0;
  while (const auto got = read_some(pipe.read_end.get(), &text[size], text.size() - size))
    size += static_cast<std::size_t>(got);
  CHECK(reap(child.pid) == 0);
  return text.substr(0, size);
}

}  // namespace

TEST_CASE("a child has the environment, the folder and the output of its plan, and no input") {
  ChildPlan plan;
  plan.environment = {"PATH=/bin:/usr/bin", "ONE=two"};
  plan.directory = "/usr";
  CHECK(output_of("echo $ONE $HOME; pwd; cat; echo end", std::move(plan)) == "two\n/usr\nend\n");
}

TEST_CASE("a child leads a group or a session, or stays in ours") {
  const auto ids_of = [](ChildPlan::Group group) {
    ChildPlan plan;
    plan.group = group;
    return output_of("set -- $(cat /proc/$$/stat); echo $(($5 == $$)) $(($6 == $$))", std::move(plan));
  };
  CHECK(ids_of(ChildPlan::Group::kOurs) == "0 0\n");
  CHECK(ids_of(ChildPlan::Group::kOwn) == "1 0\n");
  CHECK(ids_of(ChildPlan::Group::kSession) == "1 1\n");
}

TEST_CASE("a program's name without a slash is looked up in PATH") {
  const auto child = start_child({.arguments = {"true"}}).value();
  CHECK(reap(child.pid) == 0);
  CHECK(reap(child.pid) == -1);
}

TEST_CASE("what keeps a program from its begin is told, and nothing of it stays") {
  const auto missing = start_child({.arguments = {"/none/such"}});
  CHECK(missing.error().code == ErrorCode::kNotFound);
  CHECK(missing.error().message == "start /none/such: execute it: No such file or directory");
  CHECK(start_child({.arguments = {"true"}, .directory = "/none"}).error().message ==
        "start true: enter its folder: No such file or directory");
  CHECK(start_child({.arguments = {"/dev/null"}}).error().message ==
        "start /dev/null: execute it: Permission denied");
  ChildPlan refused{.arguments = {"true"}};
  refused.steps = {{"do one thing", [] { return true; }}, {"do another", [] {
                                                             errno = EPERM;
                                                             return false;
                                                           }}};
  CHECK(start_child(std::move(refused)).error().message == "start true: do another: Operation not permitted");
  CHECK(::waitpid(-1, nullptr, WNOHANG) == -1);
  CHECK(errno == ECHILD);
}

TEST_CASE("a child that is tied ends with the thread that started it, another does not") {
  Child tied, free;
  std::thread([&] {
    tied = start_child({.arguments = {"sleep", "1000"}}).value();
    free = start_child({.arguments = {"sleep", "1000"}, .is_tied = false}).value();
  }).join();
  CHECK(WTERMSIG(reap(tied.pid)) == SIGKILL);
  CHECK_FALSE(is_readable(free.pidfd.get()));
  ::kill(free.pid, SIGTERM);
  CHECK(is_readable(free.pidfd.get(), deadline_after(std::chrono::seconds(10))));
  CHECK(WTERMSIG(reap(free.pid)) == SIGTERM);
}

TEST_CASE("a descriptor goes with a text's first byte") {
  const auto ends = make_socket_pair().value();
  auto pipe = make_pipe().value();
  CHECK_FALSE(receive_fd(ends.theirs.get()));
  CHECK(send_with_fd(ends.ours.get(), "x", pipe.read_end.get()) == 1);
  const auto copy = receive_fd(ends.theirs.get());
  REQUIRE(write_all(pipe.write_end.get(), "hello"));
  char text[5];
  CHECK(read_some(copy.get(), text, sizeof text) == 5);
  REQUIRE(write_all(ends.ours.get(), "y"));
  CHECK_FALSE(receive_fd(ends.theirs.get()));
}

}  // namespace ktstr
