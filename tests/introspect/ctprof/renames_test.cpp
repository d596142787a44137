#include "introspect/ctprof/compare/renames.h"

#include <doctest/doctest.h>

namespace ktstr::introspect::ctprof {
namespace {

bool are_paired(const std::string& before, const std::string& after) {
  return !find_renames({before}, {after}).empty();
}

}  // namespace

TEST_CASE("variants of one name are paired") {
  CHECK(are_paired("postgres-old", "postgres-new"));
  CHECK(are_paired("myserver_v1", "myserver_v2"));
  CHECK(are_paired("aaab", "aaab1"));
  CHECK(are_paired("/system.slice/run-r12ab.scope", "/system.slice/run-r98ab.scope"));
}

TEST_CASE("names that have letters in common, and not words, are not paired") {
  CHECK(!are_paired("bash", "dash"));
  CHECK(!are_paired("sshd", "ssh"));
  CHECK(!are_paired("cron", "chrony"));
  CHECK(!are_paired("node", "mode"));
  CHECK(!are_paired("worker", "walker"));
  CHECK(!are_paired("systemd-logind", "systemd-udevd"));
  CHECK(!are_paired("a-1", "a-2"));
  CHECK(!are_paired("123", "124"));
}

TEST_CASE("a name with several variants is not paired with any of them") {
  CHECK(find_renames({"postgres-old"}, {"postgres-new", "postgres-two"}).empty());
  CHECK(find_renames({"worker-1", "worker-2"}, {"worker-3"}).empty());
  CHECK(find_renames({"postgres-old", "redis"}, {"postgres-new", "nginx"}) ==
        std::vector<Rename>{{"postgres-old", "postgres-new", 0.75}});
}

TEST_CASE("common words are a share of the longer name's letters") {
  CHECK(common_words("postgres-old", "postgres-new") == doctest::Approx(8.0 / 11));
  CHECK(common_words("a.service", "a.service") == 1.0);
  CHECK(common_words("one-two-three", "one-three") == doctest::Approx(8.0 / 11));
  CHECK(common_words("12", "34") == 0.0);
  CHECK(common_words("", "") == 0.0);
}

}  // namespace ktstr::introspect::ctprof
