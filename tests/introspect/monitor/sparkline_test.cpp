#include "introspect/monitor/sparkline.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <limits>
#include <vector>

using ktstr::introspect::render_sparkline;

TEST_CASE("values are scaled from the least to the greatest") {
  CHECK(render_sparkline(std::vector<std::uint64_t>{0, 1, 2, 3, 4, 5, 6, 7}) == "▁▂▃▄▅▆▇█");
  CHECK(render_sparkline(std::vector<std::uint64_t>{1000, 1007}) == "▁█");
}

TEST_CASE("a series without variation is flat: zeros low, anything else in the middle") {
  CHECK(render_sparkline(std::vector<std::uint64_t>{0, 0}) == "▁▁");
  CHECK(render_sparkline(std::vector<std::uint64_t>{9, 9, 9}) == "▅▅▅");
  CHECK(render_sparkline(std::vector<std::uint64_t>{}).empty());
}

TEST_CASE("the greatest numbers do not overflow") {
  const auto most = std::numeric_limits<std::uint64_t>::max();
  CHECK(render_sparkline(std::vector<std::uint64_t>{0, most / 2, most}) == "▁▄█");
}

TEST_CASE("a negative value counts as 0") {
  CHECK(render_sparkline(std::vector<std::int64_t>{-5, 0, 7}) == "▁▁█");
}
