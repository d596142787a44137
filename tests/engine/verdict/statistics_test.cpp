#include "engine/verdict/statistics.h"

#include <doctest/doctest.h>

#include <numeric>

using namespace ktstr::engine;

TEST_CASE("percentiles are nearest-rank") {
  std::vector<std::uint64_t> hundred(100);
  std::iota(hundred.rbegin(), hundred.rend(), 1);
  CHECK(percentile(hundred, 99) == 99);
  CHECK(percentile(hundred, 100) == 100);
  CHECK(percentile(hundred, 50) == 50);
  CHECK(percentile({7}, 99) == 7);
  CHECK_FALSE(percentile({}, 99));
}

TEST_CASE("the coefficient of variation is the population's") {
  CHECK(*coefficient_of_variation(std::vector<double>{2, 4, 4, 4, 5, 5, 7, 9}) == doctest::Approx(2.0 / 5.0));
  CHECK(*coefficient_of_variation(std::vector<double>{3, 3}) == 0);
  CHECK_FALSE(coefficient_of_variation(std::vector<double>{3}));
  CHECK_FALSE(coefficient_of_variation(std::vector<double>{0, 0}));
}
