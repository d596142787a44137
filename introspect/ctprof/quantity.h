// The kinds of number that a thread's profile is made of. What may be done with a value of one kind (adding
// two of them, taking the greater) is a concept here, so that adding two peaks does not compile.
#pragma once

#include <compare>
#include <cstdint>
#include <string>

#include "engine/base/describe.h"

namespace ktstr::introspect::ctprof {

enum class Kind : std::uint8_t {
  kMonotonicCount,
  kMonotonicNs,
  kClockTicks,
  kBytes,
  kPeakNs,
  kPeakBytes,
  kGaugeNs,
  kGaugeCount,
  kOrdinalI32,
  kOrdinalU32,
  kCategory,
  kStateLetter,
  kFlag,
  kCpuSet,
};

/// A value of one kind; values of different kinds don't mix.
template <Kind K, class Rep>
struct Quantity {
  using Representation = Rep;
  static constexpr Kind kKind = K;

  Rep value{};

  friend auto operator<=>(const Quantity&, const Quantity&) = default;
};

/// Events since the thread began.
using MonotonicCount = Quantity<Kind::kMonotonicCount, std::uint64_t>;
/// Time since the thread began, ns.
using MonotonicNs = Quantity<Kind::kMonotonicNs, std::uint64_t>;
/// Time since the thread began, in ticks of USER_HZ (1/100 s).
using ClockTicks = Quantity<Kind::kClockTicks, std::uint64_t>;
/// Bytes since the thread began.
using Bytes = Quantity<Kind::kBytes, std::uint64_t>;
/// The extreme of single events of the thread's life, ns.
using PeakNs = Quantity<Kind::kPeakNs, std::uint64_t>;
/// The most there ever was, bytes.
using PeakBytes = Quantity<Kind::kPeakBytes, std::uint64_t>;
/// What it is just now, ns.
using GaugeNs = Quantity<Kind::kGaugeNs, std::uint64_t>;
/// How many there are just now.
using GaugeCount = Quantity<Kind::kGaugeCount, std::uint64_t>;
/// A place on a scale: a nice value, a priority, a CPU number.
using OrdinalI32 = Quantity<Kind::kOrdinalI32, std::int32_t>;
using OrdinalU32 = Quantity<Kind::kOrdinalU32, std::uint32_t>;
/// One name of a few.
using Category = Quantity<Kind::kCategory, std::string>;
/// A letter of the kernel's task_state_array.
using StateLetter = Quantity<Kind::kStateLetter, char>;
using Flag = Quantity<Kind::kFlag, bool>;
/// CPUs in the kernel's list notation ("0-3,8"), as CpuSet::parse() takes it. A text, because most are short
/// and there is one for every thread.
using CpuAffinity = Quantity<Kind::kCpuSet, std::string>;

/// How the values of a group's threads become one value. Which rule is a matter of the kind alone.
enum class Rule : std::uint8_t {
  kSumCount,
  kSumNs,
  kSumTicks,
  kSumBytes,
  kMaxPeak,
  kMaxPeakBytes,
  kMaxGaugeNs,
  kMaxGaugeCount,
  kRangeI32,
  kRangeU32,
  kMode,
  kModeChar,
  kModeBool,
  kAffinity,
};

[[nodiscard]] constexpr Rule rule_of(Kind kind) {
  static_assert(static_cast<int>(Kind::kCpuSet) == static_cast<int>(Rule::kAffinity));
  return static_cast<Rule>(kind);  // one rule for each kind, in the same order
}

/// Values that add up over threads, and whose growth between two captures is a rate.
template <class Q>
concept Summable = Q::kKind == Kind::kMonotonicCount || Q::kKind == Kind::kMonotonicNs ||
                   Q::kKind == Kind::kClockTicks || Q::kKind == Kind::kBytes;
/// Values of which only the greatest says something about a group.
template <class Q>
concept Greatest = Q::kKind == Kind::kPeakNs || Q::kKind == Kind::kPeakBytes || Q::kKind == Kind::kGaugeNs ||
                   Q::kKind == Kind::kGaugeCount;
/// Values of a scale: a group has a lowest and a highest.
template <class Q>
concept Ordinal = Q::kKind == Kind::kOrdinalI32 || Q::kKind == Kind::kOrdinalU32;
/// Values of which a group has a most frequent one.
template <class Q>
concept Categorical =
    Q::kKind == Kind::kCategory || Q::kKind == Kind::kStateLetter || Q::kKind == Kind::kFlag;

}  // namespace ktstr::introspect::ctprof

namespace ktstr {
template <>
inline constexpr auto describe<introspect::ctprof::Kind> = [] {
  using enum introspect::ctprof::Kind;
  return enumeration<introspect::ctprof::Kind>("Kind", {{"monotonic count", kMonotonicCount},
                                                        {"monotonic ns", kMonotonicNs},
                                                        {"clock ticks", kClockTicks},
                                                        {"bytes", kBytes},
                                                        {"peak ns", kPeakNs},
                                                        {"peak bytes", kPeakBytes},
                                                        {"gauge ns", kGaugeNs},
                                                        {"gauge count", kGaugeCount},
                                                        {"ordinal i32", kOrdinalI32},
                                                        {"ordinal u32", kOrdinalU32},
                                                        {"category", kCategory},
                                                        {"state letter", kStateLetter},
                                                        {"flag", kFlag},
                                                        {"cpu set", kCpuSet}});
}();

template <>
inline constexpr auto describe<introspect::ctprof::Rule> = [] {
  using enum introspect::ctprof::Rule;
  return enumeration<introspect::ctprof::Rule>("Rule", {{"sum-count", kSumCount},
                                                        {"sum-ns", kSumNs},
                                                        {"sum-ticks", kSumTicks},
                                                        {"sum-bytes", kSumBytes},
                                                        {"max-peak", kMaxPeak},
                                                        {"max-peak-bytes", kMaxPeakBytes},
                                                        {"max-gauge-ns", kMaxGaugeNs},
                                                        {"max-gauge-count", kMaxGaugeCount},
                                                        {"range-i32", kRangeI32},
                                                        {"range-u32", kRangeU32},
                                                        {"mode", kMode},
                                                        {"mode-char", kModeChar},
                                                        {"mode-bool", kModeBool},
                                                        {"affinity", kAffinity}});
}();
}  // namespace ktstr
