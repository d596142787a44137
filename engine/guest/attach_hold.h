// AttachHold: a program held at the moment at which it would attach its scheduler.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/base/fd.h"

namespace ktstr::engine::guest {

/// For a child between fork and exec: from now on, each bpf(BPF_LINK_CREATE) of this process and of those it
/// starts waits for the listener that is returned. -1 with errno: the kernel has no seccomp notification.
/// Neither allocates nor locks.
///
/// Only that command is held, for a filter can't be taken back: with updates of maps in it, by which old
/// loaders attach, every update that a scheduler makes while it runs would go through the agent.
[[nodiscard]] int hold_attachments();

/// The listener's side. While it is closed, an attachment of a struct_ops map waits and all else goes on;
/// once it was opened, everything goes on. It must be served for as long as the program lives.
class AttachHold {
 public:
  explicit AttachHold(Fd listener) : listener_(std::move(listener)) {}

  /// Readable when a call waits to be looked at; -1 once the program and all it started have ended.
  [[nodiscard]] int fd() const { return listener_.get(); }
  /// Looks at the calls that wait.
  void serve();
  /// Whether an attachment is held.
  [[nodiscard]] bool holds() const { return !held_.empty(); }
  /// Lets everything go on, now and from now on.
  void open();

 private:
  void go_on(std::uint64_t id) const;

  Fd listener_;
  std::vector<std::uint64_t> held_;  ///< ids of notifications
  bool open_ = false;
};

}  // namespace ktstr::engine::guest
