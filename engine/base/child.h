// Starting another program.
#pragma once

#include <sys/types.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/fd.h"
#include "engine/base/result.h"

namespace ktstr {

struct ChildPlan {
  enum class Group { kOurs, kOwn, kSession };
  static constexpr int kFirstInherited = 3;
  /// Taken in the child before the program begins: only what is async-signal-safe. False: errno says why not.
  struct Step {
    const char* what;
    std::function<bool()> take;
  };

  std::vector<std::string> arguments;  ///< [0]: a path, or a name that is looked up in PATH
  std::optional<std::vector<std::string>> environment{};  ///< "NAME=value"; ours when absent
  std::string directory{};                                ///< where it runs; ours when empty
  Group group = Group::kOwn;     ///< in a session of its own a terminal's Ctrl-C does not reach it
  bool is_tied = true;           ///< gets SIGKILL when the thread that starts it ends (PR_SET_PDEATHSIG)
  int output = -1, errors = -1;  ///< -1: /dev/null, where its input comes from
  std::vector<int> inherited{};  ///< other descriptors that it gets, numbered from kFirstInherited on
  std::vector<Step> steps{};
};

struct Child {
  pid_t pid = -1;
  Fd pidfd;  ///< readable once it has ended
};

/// Starts a program, with default signal handling and no descriptors of ours but those above. Errors: kIo;
/// kNotFound when there is no such program. They name the program and the step that failed.
[[nodiscard]] Result<Child> start_child(ChildPlan plan);

/// Errors: kIo.
[[nodiscard]] Result<Fd> open_pidfd(pid_t pid);

/// Waits for a child's end and reaps it. Its status as waitpid(2) gives it; -1 and errno when there is no
/// such child.
int reap(pid_t pid);

}  // namespace ktstr
