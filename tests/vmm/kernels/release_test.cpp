#include "vmm/kernels/release.h"

#include <doctest/doctest.h>

using namespace ktstr::vmm;

TEST_CASE("releases are ordered by their numbers, candidates before their release") {
  const char* ascending[] = {"6.9.0",       "6.18.2",     "6.18.15",
                             "7.0.0-rc1",   "7.0.0-rc12", "7.0.0",
                             "7.0.0+deb13", "7.1.8",      "7.1.13+deb13-cloud-amd64",
                             "7.10.1",      "10.0.1"};
  for (std::size_t i = 1; i < std::size(ascending); ++i) {
    CAPTURE(ascending[i]);
    CHECK(compare_releases(ascending[i - 1], ascending[i]) < 0);
    CHECK(compare_releases(ascending[i], ascending[i - 1]) > 0);
  }
  CHECK(compare_releases("7.3.4", "7.3.4") == 0);
}

TEST_CASE("a release is named by itself and by its beginning up to a number's end") {
  CHECK(names_release("7.3", "7.3.4+deb13-cloud-amd64"));
  CHECK(names_release("7.3.4", "7.3.4+deb13-cloud-amd64"));
  CHECK(names_release("7.3.4+deb13", "7.3.4+deb13-cloud-amd64"));
  CHECK(names_release("7.3.4+deb13-cloud-amd64", "7.3.4+deb13-cloud-amd64"));
  CHECK(names_release("7", "7.3.4"));
  CHECK_FALSE(names_release("7.3", "7.30.1"));
  CHECK_FALSE(names_release("7.3.4", "7.3"));
  CHECK_FALSE(names_release("3.4", "7.3.4"));
  CHECK_FALSE(names_release("", "7.3.4"));
}

TEST_CASE("the series is the first two numbers") {
  CHECK(series_of("7.3.4+deb13-cloud-amd64") == "7.3");
  CHECK(series_of("6.18.15") == "6.18");
  CHECK(series_of("7.4-rc1") == "7.4");
  CHECK(series_of("7") == "7");
}
