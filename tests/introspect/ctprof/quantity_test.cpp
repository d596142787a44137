#include "introspect/ctprof/quantity.h"

#include <doctest/doctest.h>

namespace ktstr::introspect::ctprof {
namespace {

template <class A, class B>
concept Comparable = requires(A a, B b) {
  a < b;
};
template <class A, class B>
concept Assignable = requires(A a, B b) {
  a = b;
};

}  // namespace

TEST_CASE("each kind may be aggregated in one way only") {
  static_assert(Summable<MonotonicCount> && Summable<MonotonicNs> && Summable<ClockTicks> && Summable<Bytes>);
  static_assert(!Summable<PeakNs> && !Summable<PeakBytes> && !Summable<GaugeNs> && !Summable<GaugeCount>);
  static_assert(!Summable<OrdinalI32> && !Summable<Category> && !Summable<CpuAffinity>);
  static_assert(Greatest<PeakNs> && Greatest<GaugeCount> && !Greatest<MonotonicNs> && !Greatest<OrdinalU32>);
  static_assert(Ordinal<OrdinalI32> && Ordinal<OrdinalU32> && !Ordinal<GaugeCount>);
  static_assert(Categorical<Category> && Categorical<StateLetter> && Categorical<Flag> &&
                !Categorical<OrdinalI32>);
  CHECK(rule_of(Kind::kBytes) == Rule::kSumBytes);
  CHECK(rule_of(Kind::kFlag) == Rule::kModeBool);
}

TEST_CASE("values of different kinds neither compare nor convert") {
  static_assert(!Comparable<MonotonicNs, MonotonicCount> && !Assignable<MonotonicNs&, PeakNs>);
  CHECK(PeakNs{3} < PeakNs{4});
}

}  // namespace ktstr::introspect::ctprof
