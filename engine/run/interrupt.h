// Ctrl-C and SIGTERM as a readable file descriptor, and as a std::stop_token.
#pragma once

#include <memory>
#include <stop_token>
#include <thread>

#include "engine/base/fd.h"
#include "engine/base/result.h"

namespace ktstr::engine {

/// While it lives, SIGINT and SIGTERM do not end the process but make stop_fd() readable, and it stays so.
/// The second signal acts as if there were no Interrupt, so that a hung process can still be ended. One at a
/// time in a process.
class Interrupt {
 public:
  /// Errors: kIo when the eventfd or a handler can't be made. Precondition: no other Interrupt lives.
  [[nodiscard]] static Result<std::unique_ptr<Interrupt>> install();
  /// Puts the former handlers back.
  ~Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

  [[nodiscard]] int stop_fd() const { return event_.get(); }
  [[nodiscard]] bool requested() const;

 private:
  explicit Interrupt(Fd event);
  Fd event_;
};

/// While it lives, the first SIGINT or SIGTERM asks token() to stop instead of ending the process.
class Cancellation {
 public:
  /// Errors: kIo.
  [[nodiscard]] static Result<std::unique_ptr<Cancellation>> on_interrupt();
  ~Cancellation();

  [[nodiscard]] std::stop_token token() const { return source_.get_token(); }

 private:
  Cancellation(std::unique_ptr<Interrupt> interrupt, Fd end)
      : interrupt_(std::move(interrupt)), end_(std::move(end)) {}
  void wait();

  std::unique_ptr<Interrupt> interrupt_;
  Fd end_;  ///< readable once the object goes away
  std::stop_source source_;
  std::thread waiter_;
};

}  // namespace ktstr::engine
