// ExpectingGuest: a guest whose schedulers end without alarm while it is asked to end them.
#pragma once

#include <memory>

#include "engine/freeze/guest_dumps.h"
#include "engine/run/guest.h"

namespace ktstr::engine {

class ExpectingGuest final : public Guest {
 public:
  /// `guest` and the owner `dumps` must outlive it; what is owned may come and go between two requests. None:
  /// nobody watches schedulers.
  ExpectingGuest(Guest& guest, const std::unique_ptr<GuestDumps>& dumps) : guest_(guest), dumps_(dumps) {}

  [[nodiscard]] Duration now() const override { return guest_.now(); }
  [[nodiscard]] Result<WaitEnd> wait_until(Duration moment) override { return guest_.wait_until(moment); }

 private:
  [[nodiscard]] Result<protocol::Reply> exchange(protocol::Request request) override {
    const auto expected = dumps_ && ends_scheduler(request) ? dumps_->expect_scheduler_end() : nullptr;
    return guest_.exchange(std::move(request));
  }
  [[nodiscard]] static bool ends_scheduler(const protocol::Request& request) {
    return std::holds_alternative<protocol::DetachScheduler>(request) ||
           std::holds_alternative<protocol::ReplaceScheduler>(request) ||
           std::holds_alternative<protocol::RestartScheduler>(request) ||
           std::holds_alternative<protocol::Shutdown>(request);
  }

  Guest& guest_;
  const std::unique_ptr<GuestDumps>& dumps_;
};

}  // namespace ktstr::engine
