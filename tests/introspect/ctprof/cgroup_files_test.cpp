#include "introspect/ctprof/parse/cgroup_files.h"

#include <doctest/doctest.h>

#include "engine/base/write.h"

namespace ktstr::introspect::ctprof {

TEST_CASE("flat keyed files are maps, cpu.stat gives three of its lines") {
  CHECK(parse_flat_keyed("anon 12\nfile 0\nodd x\nnone\ncut 5") ==
        std::map<std::string, std::uint64_t>{{"anon", 12}, {"file", 0}});
  CHECK(!parse_flat_keyed(""));
  CgroupCpu cpu;
  parse_cpu_stat("usage_usec 33\nuser_usec 1\nnr_throttled 2\n", cpu);
  CHECK(cpu.usage_usec == 33u);
  CHECK(cpu.nr_throttled == 2u);
  CHECK(!cpu.throttled_usec);
}

TEST_CASE("cpu.max tells no quota from one") {
  CgroupCpu none, some, garbage;
  parse_cpu_max("max 100000\n", none);
  CHECK(none.max_quota_usec == Limit{});
  CHECK(none.max_period_usec == 100000u);
  parse_cpu_max("50000 100000\n", some);
  CHECK(some.max_quota_usec == Limit{50000});
  parse_cpu_max("maximum 100000", garbage);
  CHECK(garbage == CgroupCpu{});
}

TEST_CASE("single values and limits are all of their file") {
  CHECK(parse_single("4096\n") == 4096u);
  CHECK(!parse_single("4096"));
  CHECK(!parse_single("4096\n1\n"));
  CHECK(parse_single_signed("-5\n") == -5);
  CHECK(parse_limit("max\n") == Limit{});
  CHECK(parse_limit("0\n") == Limit{0});
  CHECK(!parse_limit("maxi\n"));
  CHECK(parse_single_word("enabled\n") == "enabled");
  CHECK(!parse_single_word("\n"));
}

TEST_CASE("a limit is a number or \"max\" in JSON too") {
  Limit limit{};
  CHECK(to_json(Limit{}) == "\"max\"");
  CHECK(to_json(Limit{7}) == "7");
  CHECK(!read(Value{std::uint64_t{9}}, limit));
  CHECK(limit == Limit{9});
  CHECK(!read(Value{std::string("max")}, limit));
  CHECK(limit == Limit{});
  CHECK(read(Value{std::string("most")}, limit));
}

TEST_CASE("pressure has two halves, averages in hundredths") {
  const auto psi = parse_psi(
      "some avg10=0.08 avg60=100.99 avg300=2.78 total=13107062312\n"
      "full avg10=0.00 avg60=0.00 avg300=0.10 total=0\n");
  REQUIRE(psi);
  CHECK(psi->some == PsiHalf{8, 10099, 278, 13107062312});
  CHECK(psi->full == PsiHalf{0, 0, 10, 0});
}

TEST_CASE("half a pressure line is none") {
  CHECK(!parse_psi(""));
  CHECK(!parse_psi("some avg10=0.08 avg60=0.32 avg300=2.78 total=131"));
  CHECK(!parse_psi("some avg10=0.8 avg60=0.32 avg300=2.78 total=131\n"));
  CHECK(!parse_psi("some avg60=0.32 avg300=2.78 total=131\n"));
  const auto irq = parse_psi("full avg10=0.00 avg60=0.00 avg300=0.00 total=5\n");
  REQUIRE(irq);
  CHECK(!irq->some);
  CHECK(irq->full->total_usec == 5);
}

}  // namespace ktstr::introspect::ctprof
