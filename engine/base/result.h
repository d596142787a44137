// Result<T>: a value or an Error, for everything that can go wrong without being a bug.
#pragma once

#include <cerrno>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <type_traits>
#include <utility>

namespace ktstr {

/// What kind of failure; decides exit codes and which advice is printed, never the wording.
enum class ErrorCode {
  kInvalidArgument,  ///< the user's input is wrong
  kNotFound,         ///< a file, symbol, type or member is not there
  kUnavailable,      ///< the machine, kernel or guest lacks the capability
  kCorrupt,          ///< data read contradicts itself (damaged image, hostile guest memory)
  kOutOfRange,       ///< an address or index lies outside what exists
  kIo,               ///< a system call failed
  kTimeout,          ///< a deadline passed
  kCancelled,        ///< the user asked to stop
  kGuestFailed,      ///< the guest kernel or agent died
  kEmulatorFailed,   ///< the emulator, not the guest, is at fault
};

/// A failure: a code for programs and a sentence for people. Context is added on the way up, outermost first.
struct Error {
  ErrorCode code{};
  std::string message;

  /// Puts "context: " before the message and returns the error for further propagation.
  [[nodiscard]] Error with_context(std::string_view context) && {
    message.insert(0, ": ").insert(0, context);
    return std::move(*this);
  }
};

/// What was asked for can't be.
[[nodiscard]] inline Error invalid_argument(std::string message) {
  return {ErrorCode::kInvalidArgument, std::move(message)};
}
/// Data that contradict themselves or their format.
[[nodiscard]] inline Error corrupted(std::string message) {
  return {ErrorCode::kCorrupt, std::move(message)};
}
/// An Error from errno: "open /x: No such file or directory". ENOENT becomes kNotFound, everything else kIo.
[[nodiscard]] Error system_error(std::string_view what, int error_number = errno);

/// A value of type T, or why there is none. Converts from T and from Error.
template <class T>
class [[nodiscard]] Result : public tl::expected<T, Error> {
 public:
  using tl::expected<T, Error>::expected;
  Result(Error error) : tl::expected<T, Error>(tl::unexpect, std::move(error)) {}
};

/// Success without a value.
using Status = Result<void>;
inline Status ok() {
  return {};
}

namespace detail {
template <class T>
T take_value(Result<T>&& result) {
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}
template <class... Context>
Error take_error(Error&& error, const Context&... context) {
  if constexpr (sizeof...(context) == 0)
    return std::move(error);
  else
    return std::move(error).with_context(context...);
}
}  // namespace detail

}  // namespace ktstr

/// KTSTR_TRY(expression): unwraps a Result or a Status, or returns its error from the enclosing function.
/// KTSTR_TRY(expression, context): the error with that context.
#define KTSTR_TRY(expression, ...) \
  KTSTR_TRY_NAMED(KTSTR_TRY_JOIN(ktstr_try_result_, __COUNTER__), expression __VA_OPT__(, ) __VA_ARGS__)

#define KTSTR_TRY_JOIN(name, number) KTSTR_TRY_JOINED(name, number)
#define KTSTR_TRY_JOINED(name, number) name##number
/// One name each, so that one may stand inside another.
#define KTSTR_TRY_NAMED(result, expression, ...)                                                           \
  __extension__({                                                                                          \
    auto result = (expression);                                                                            \
    if (!result) return ::ktstr::detail::take_error(std::move(result.error()) __VA_OPT__(, ) __VA_ARGS__); \
    ::ktstr::detail::take_value(std::move(result));                                                        \
  })
