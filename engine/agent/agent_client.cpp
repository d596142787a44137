#include "engine/agent/agent_client.h"

#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <chrono>

#include "engine/base/read.h"
#include "engine/base/write.h"

namespace ktstr::engine {

using namespace protocol;

namespace {

constexpr Duration kSendTimeout = std::chrono::seconds(10);

/// Whether the channel's frames are still in step after such an error.
bool leaves_channel_usable(ErrorCode code) {
  return code == ErrorCode::kTimeout || code == ErrorCode::kCancelled;
}

}  // namespace

AgentClient::AgentClient(int channel_fd, int cancel_fd, Duration request_timeout)
    : channel_fd_(channel_fd), cancel_fd_(cancel_fd), timeout_(request_timeout), reader_(channel_fd) {}

Result<ReplyMessage> AgentClient::receive(Duration timeout) {
  if (broken_) return Error(*broken_);
  const auto fail = [this](Error error) {
    error = std::move(error).with_context("guest agent");
    if (!leaves_channel_usable(error.code)) broken_ = error;
    return error;
  };
  auto payload = reader_.next(timeout, cancel_fd_);
  if (!payload) return fail(std::move(payload.error()));
  auto message = from_json<ReplyMessage>(*payload, kPayloadLimits);
  if (!message) return fail(std::move(message.error()));
  return message;
}

Result<Hello> AgentClient::wait_hello(Duration timeout) {
  auto message = KTSTR_TRY(receive(timeout));
  if (const auto* failed = std::get_if<Failed>(&message.reply)) return Error{failed->code, failed->message};
  auto* hello = std::get_if<Hello>(&message.reply);
  if (!hello) return Agent::foreign("hello");
  if (hello->version != kVersion)
    return corrupted(
        fmt::format("the agent speaks protocol version {}, this program {}", hello->version, kVersion));
  return std::move(*hello);
}

/// One deadline for the whole exchange: answers to requests that were given up on don't extend it.
Result<Reply> AgentClient::exchange(Request request) {
  using Clock = std::chrono::steady_clock;
  answers_ = false;
  if (broken_) return Error(*broken_);
  const auto deadline = Clock::now() + timeout_.chrono();
  const auto id = ++last_id_;
  const auto payload = to_json(RequestMessage{id, std::move(request)});
  if (auto sent = send_frame(channel_fd_, payload, std::min(kSendTimeout, timeout_)); !sent) {
    // An agent that gives up on the channel has said why before it closed it.
    auto last_words = receive(Duration(0));
    broken_ = std::move(sent.error()).with_context("guest agent");
    if (last_words && last_words->id == 0) return std::move(last_words->reply);
    return Error(*broken_);
  }
  while (true) {
    auto message = KTSTR_TRY(receive(std::max(Clock::duration::zero(), deadline - Clock::now())));
    answers_ = message.id == id;
    if (message.id == id || message.id == 0) return std::move(message.reply);
    if (message.id > id) return foreign("the request");
  }
}

Error AgentClient::foreign(std::string_view expected) {
  broken_ = Agent::foreign(expected);
  return *broken_;
}

Status AgentClient::shut_down() {
  const auto answer = ask(Shutdown{});
  if (answer || answer.error().code == ErrorCode::kGuestFailed) return ok();
  return Error(answer.error());
}

}  // namespace ktstr::engine
