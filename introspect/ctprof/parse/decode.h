// The value of one metric, out of its text.
#pragma once

#include <optional>
#include <string_view>

#include "introspect/ctprof/metrics.h"

namespace ktstr::introspect::ctprof {

/// Milliseconds with six decimals ("12.000345") as ns. Nothing for anything else, a negative value, or one
/// beyond 64 bits.
[[nodiscard]] std::optional<std::uint64_t> parse_dotted_ns(std::string_view text);

/// The name of a scheduling policy's number (include/uapi/linux/sched.h): "SCHED_OTHER"; "policy 4" for one
/// without.
[[nodiscard]] std::string policy_name(std::uint32_t policy);

/// Puts the value that `text` is into the record. What is not such a value makes it absent.
void assign(ThreadRecord& record, const Metric& metric, std::string_view text);

/// The same for a value that is a number already. The metric's representation must be a 64-bit one.
void assign(ThreadRecord& record, const Metric& metric, std::optional<std::uint64_t> number);

}  // namespace ktstr::introspect::ctprof
