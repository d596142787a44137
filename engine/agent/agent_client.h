// AgentClient: the runner's side of the channel to the guest agent.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/agent/agent.h"
#include "engine/base/result.h"
#include "engine/base/units.h"
#include "engine/protocol/frame.h"
#include "engine/protocol/messages.h"

namespace ktstr::engine {

/// One request at a time; each call waits for its answer. Not thread safe. Errors of every call: kGuestFailed
/// when it has gone; kTimeout when it does not answer within the request timeout; kCancelled as soon as the
/// cancel fd is readable; kCorrupt for a damaged or foreign protocol. After kTimeout and kCancelled further
/// calls are possible (a late answer to an earlier request is dropped), after the others they fail.
class AgentClient final : public Agent {
 public:
  /// Longer than anything that the agent does under its own deadlines.
  static constexpr Duration kDefaultTimeout = std::chrono::seconds(240);

  /// Neither fd is owned; both must stay open. `cancel_fd`: an eventfd or similar that becomes readable when
  /// the user wants to stop; -1: none.
  explicit AgentClient(int channel_fd, int cancel_fd = -1, Duration request_timeout = kDefaultTimeout);

  /// The agent's first message: until it has come, nothing can be asked. Says so when the versions differ.
  [[nodiscard]] Result<protocol::Hello> wait_hello(Duration timeout);

  /// Ends the agent, and as PID 1 its guest. That it is gone before it answered is success too.
  [[nodiscard]] Status shut_down();

  [[nodiscard]] Result<protocol::Reply> exchange(protocol::Request request) override;

  /// Whether the last request was answered: one more would not wait in vain.
  [[nodiscard]] bool answers() const { return answers_; }

  /// From now on the cancel fd is not looked at: for cleaning up after a cancellation.
  void ignore_cancel() { cancel_fd_ = -1; }

 private:
  [[nodiscard]] Error foreign(std::string_view expected) override;
  [[nodiscard]] Result<protocol::ReplyMessage> receive(Duration timeout);

  int channel_fd_;
  int cancel_fd_;
  Duration timeout_;
  protocol::FrameReader reader_;
  std::uint64_t last_id_ = 0;
  bool answers_ = true;
  std::optional<Error> broken_;  ///< why the channel can't be used any more
};

}  // namespace ktstr::engine
