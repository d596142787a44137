// Cancellation: Ctrl-C as a std::stop_token.
#pragma once

#include <memory>
#include <stop_token>
#include <thread>

#include "engine/base/fd.h"
#include "engine/base/result.h"
#include "engine/run/interrupt.h"

namespace ktstr::lua {

/// While it lives, the first SIGINT or SIGTERM asks token() to stop instead of ending the process.
class Cancellation {
 public:
  /// Errors: kIo.
  [[nodiscard]] static Result<std::unique_ptr<Cancellation>> on_interrupt();
  ~Cancellation();

  [[nodiscard]] std::stop_token token() const { return source_.get_token(); }

 private:
  Cancellation(std::unique_ptr<engine::Interrupt> interrupt, Fd end)
      : interrupt_(std::move(interrupt)), end_(std::move(end)) {}
  void wait();

  std::unique_ptr<engine::Interrupt> interrupt_;
  Fd end_;  ///< readable once the object goes away
  std::stop_source source_;
  std::thread waiter_;
};

}  // namespace ktstr::lua
