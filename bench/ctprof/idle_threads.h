// IdleThreads: a process of its own with many threads that wait for nothing.
#pragma once

#include <sys/types.h>

#include <memory>

#include "engine/base/result.h"

namespace ktstr::bench {

class IdleThreads {
 public:
  /// Returns once all `count` threads wait. Errors: kIo, as many can't be made here.
  [[nodiscard]] static Result<std::unique_ptr<IdleThreads>> start(std::size_t count);
  /// Ends the process and waits for it.
  ~IdleThreads();
  IdleThreads(const IdleThreads&) = delete;
  IdleThreads& operator=(const IdleThreads&) = delete;

  [[nodiscard]] pid_t pid() const { return pid_; }

 private:
  explicit IdleThreads(pid_t pid) : pid_(pid) {}
  pid_t pid_;
};

}  // namespace ktstr::bench
