#include "engine/base/cpu_set.h"

#include <doctest/doctest.h>

namespace ktstr {

TEST_CASE("CpuSet reads and prints the kernel's list notation") {
  for (const char* list : {"", "0", "0-3", "0-3,8", "1,3,5-7,8191"}) {
    CAPTURE(list);
    CHECK(CpuSet::parse(list)->to_string() == list);
  }
  CHECK(CpuSet::parse("3,1,2")->to_string() == "1-3");
}

TEST_CASE("CpuSet refuses what is not a list") {
  for (const char* list :
       {",", "0,", ",0", "3-1", "a", "1-", "-1", "8192", "0-99999999999999999999", "1 2"}) {
    CAPTURE(list);
    CHECK_FALSE(CpuSet::parse(list).has_value());
  }
}

TEST_CASE("CpuSet answers subset, union and intersection") {
  const CpuSet a{0, 1, 2};
  const CpuSet b{1, 2};
  CHECK(b.is_subset_of(a));
  CHECK_FALSE(a.is_subset_of(b));
  CHECK((a & b) == b);
  CHECK((a | CpuSet{9}).to_string() == "0-2,9");
  CHECK(CpuSet::range(2, 4).to_vector() == std::vector<std::size_t>{2, 3});
}

}  // namespace ktstr
