// Agent: whoever carries requests to the agent of a guest and brings its answers.
#pragma once

#include <concepts>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "engine/base/result.h"
#include "engine/protocol/messages.h"

namespace ktstr::engine {

class Agent {
 public:
  virtual ~Agent() = default;

  /// Asks and waits for the answer. What the agent refuses is an error with its code and words; an answer to
  /// something else is kCorrupt. Errors besides: those of exchange().
  template <class Request>
  [[nodiscard]] protocol::Answered<Request> ask(Request request) {
    auto reply = KTSTR_TRY(exchange(std::move(request)));
    if (const auto* failed = std::get_if<protocol::Failed>(&reply))
      return Error{failed->code, failed->message};
    auto* answer = std::get_if<typename Request::Answer>(&reply);
    if (!answer) return foreign(describe<typename Request::Answer>.name);
    if constexpr (std::same_as<protocol::Answered<Request>, Status>)
      return ok();
    else
      return std::move(*answer);
  }

  /// Whatever the agent answers, Failed included.
  [[nodiscard]] virtual Result<protocol::Reply> exchange(protocol::Request request) = 0;

 protected:
  /// The error for an answer that is not the `expected` one.
  [[nodiscard]] virtual Error foreign(std::string_view expected) {
    return {ErrorCode::kCorrupt, "the agent answered something else than " + std::string(expected)};
  }
};

}  // namespace ktstr::engine
