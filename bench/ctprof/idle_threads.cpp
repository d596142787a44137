#include "bench/ctprof/idle_threads.h"

#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <climits>

#include "engine/base/fd.h"

namespace ktstr::bench {
namespace {

void* wait_for_ever(void*) {
  for (;;) ::pause();
}

/// Of the child: says on `ready` that all threads are there.
[[noreturn]] void be_many(std::size_t count, int ready) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  pthread_attr_t attributes;
  ::pthread_attr_init(&attributes);
  ::pthread_attr_setstacksize(&attributes, PTHREAD_STACK_MIN);
  for (std::size_t i = 1; i < count; ++i) {
    pthread_t thread;
    if (::pthread_create(&thread, &attributes, wait_for_ever, nullptr) != 0) ::_exit(1);
  }
  if (::write(ready, "r", 1) != 1) ::_exit(1);
  wait_for_ever(nullptr);
  ::_exit(0);
}

}  // namespace

Result<std::unique_ptr<IdleThreads>> IdleThreads::start(std::size_t count) {
  int ends[2];
  if (::pipe(ends) != 0) return system_error("pipe");
  const Fd ready(ends[0]);
  Fd say(ends[1]);
  const pid_t pid = ::fork();
  if (pid < 0) return system_error("fork");
  if (pid == 0) be_many(count, say.get());
  say.reset();
  std::unique_ptr<IdleThreads> threads(new IdleThreads(pid));
  char byte = 0;
  if (::read(ready.get(), &byte, 1) != 1)
    return Error{ErrorCode::kIo, std::to_string(count) + " threads can't be made here"};
  return threads;
}

IdleThreads::~IdleThreads() {
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

}  // namespace ktstr::bench
