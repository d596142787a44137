#include "engine/verdict/peers.h"

#include <doctest/doctest.h>

#include <vector>

using namespace ktstr::engine;

TEST_CASE("the coefficient of variation is the population's") {
  CHECK(*coefficient_of_variation(std::vector<double>{2, 4, 4, 4, 5, 5, 7, 9}) == doctest::Approx(2.0 / 5.0));
  CHECK(*coefficient_of_variation(std::vector<double>{3, 3}) == 0);
  CHECK_FALSE(coefficient_of_variation(std::vector<double>{3}));
  CHECK_FALSE(coefficient_of_variation(std::vector<double>{0, 0}));
}
