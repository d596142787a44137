#include "engine/guest/urgency.h"

#include <doctest/doctest.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "engine/base/check.h"
#include "engine/base/fd.h"
#include "engine/scenario/placement.h"
#include "tests/skip.h"

using namespace ktstr;
using namespace ktstr::engine;
using namespace ktstr::engine::guest;

namespace {

/// A process with a child, both asleep; ends with the object.
class Family {
 public:
  Family() {
    int ends[2];
    KTSTR_CHECK(::pipe(ends) == 0);
    parent_ = ::fork();
    if (parent_ == 0) {
      const auto child = ::fork();
      if (child != 0) static_cast<void>(!::write(ends[1], &child, sizeof child));
      while (true) ::pause();
    }
    const Fd reading(ends[0]), writing(ends[1]);
    KTSTR_CHECK(::read(reading.get(), &child_, sizeof child_) == sizeof child_);
  }
  ~Family() {
    ::kill(child_, SIGKILL);
    ::kill(parent_, SIGKILL);
    ::waitpid(parent_, nullptr, 0);
  }
  Family(const Family&) = delete;
  Family& operator=(const Family&) = delete;
  [[nodiscard]] pid_t parent() const { return parent_; }
  [[nodiscard]] pid_t child() const { return child_; }

 private:
  pid_t parent_ = 0, child_ = 0;
};

int priority_of(pid_t pid) {
  sched_param param{};
  ::sched_getparam(pid, &param);
  return param.sched_priority;
}

bool may_be_urgent(pid_t pid) {
  const sched_param param{1};
  const bool may = ::sched_setscheduler(pid, SCHED_FIFO, &param) == 0;
  const sched_param none{};
  ::sched_setscheduler(pid, SCHED_OTHER, &none);
  return may;
}

}  // namespace

TEST_CASE("a program and what it started become urgent, and ordinary again") {
  const Family family;
  if (!may_be_urgent(family.parent())) SKIP_TEST("no right to set real-time priorities");
  make_urgent(family.parent());
  CHECK(::sched_getscheduler(family.parent()) == SCHED_FIFO);
  CHECK(priority_of(family.parent()) == static_cast<int>(kLoaderPriority));
  CHECK(priority_of(family.child()) == static_cast<int>(kLoaderPriority));
  make_ordinary(family.parent());
  CHECK(::sched_getscheduler(family.parent()) == SCHED_OTHER);
  CHECK(::sched_getscheduler(family.child()) == SCHED_OTHER);
}

TEST_CASE("a policy that a thread has chosen for itself is left alone") {
  const Family family;
  if (!may_be_urgent(family.parent())) SKIP_TEST("no right to set real-time priorities");
  const sched_param own{10};
  REQUIRE(::sched_setscheduler(family.child(), SCHED_RR, &own) == 0);
  make_urgent(family.parent());
  CHECK(priority_of(family.child()) == 10);
  make_ordinary(family.parent());
  CHECK(::sched_getscheduler(family.child()) == SCHED_RR);
}
