#include "introspect/sched/domains.h"

#include <doctest/doctest.h>

#include "tests/introspect/sched/sched_guest.h"

namespace ktstr::introspect {
namespace {
using namespace test;

Result<std::vector<SchedDomainSnapshot>> read_chain(const SchedGuest& guest, KernelVirt lowest,
                                                    bool counting = true) {
  const auto kernel = guest.attach();
  auto reader = DomainReader::create(guest.btf());
  REQUIRE(reader.has_value());
  return reader->read(kernel, lowest, counting);
}

std::string error_of(const SchedGuest& guest, KernelVirt lowest) {
  const auto chain = read_chain(guest, lowest);
  return chain ? "no error" : chain.error().message;
}

}  // namespace

TEST_CASE("a chain of domains is read from the lowest up") {
  SchedGuest guest({}, 4);
  const auto smt = guest.add_domain({}, 0, "SMT", {0, 1});
  const auto mc = guest.add_domain(smt, 1, "MC", {0, 1, 2, 3});
  guest.set(smt, "sched_domain", "flags", std::int32_t{0x12ef});
  guest.set(mc, "sched_domain", "balance_interval", std::uint32_t{8});
  guest.set(mc, "sched_domain", "nr_balance_failed", std::uint32_t{3});
  guest.set(mc, "sched_domain", "max_newidle_lb_cost", std::uint64_t{4'000'000'000});
  guest.set(mc, "sched_domain", "newidle_call", std::uint32_t{1});
  guest.set(mc, "sched_domain", "newidle_success", std::uint32_t{2});
  guest.set(mc, "sched_domain", "newidle_ratio", std::uint32_t{512});

  const auto chain = read_chain(guest, smt).value();
  REQUIRE(chain.size() == 2);
  CHECK(chain[0].level == 0);
  CHECK(chain[0].name == "SMT");
  CHECK(chain[0].flags == 0x12ef);
  CHECK(chain[0].span_weight == 2);
  CHECK(chain[0].span == "0-1");
  CHECK(chain[1].level == 1);
  CHECK(chain[1].name == "MC");
  CHECK(chain[1].span == "0-3");
  CHECK(chain[1].balance_interval == 8);
  CHECK(chain[1].nr_balance_failed == 3);
  CHECK(chain[1].max_newidle_lb_cost == 4'000'000'000);
  CHECK(chain[1].newidle_call == 1);
  CHECK(chain[1].newidle_success == 2);
  CHECK(chain[1].newidle_ratio == 512);
}

TEST_CASE("no domain is an empty chain") {
  CHECK(read_chain(SchedGuest(), KernelVirt{}).value().empty());
}

TEST_CASE("the span is a member where there is one, and follows the structure where there is none") {
  KernelShape with_member;
  with_member.span_member = true;
  SchedGuest older(with_member, 70);
  CHECK(read_chain(older, older.add_domain({}, 0, "MC", {1, 65, 69})).value()[0].span == "1,65,69");
  SchedGuest newer({}, 70);
  CHECK(read_chain(newer, newer.add_domain({}, 0, "MC", {1, 65, 69})).value()[0].span == "1,65,69");
}

TEST_CASE("balancing statistics are read, split by cause where the kernel splits them") {
  SchedGuest guest;
  const auto domain = guest.add_domain({}, 0, "MC", {0, 1});
  guest.set(domain, "sched_domain", "lb_count", PerIdleType{1, 2, 3});
  guest.set(domain, "sched_domain", "lb_imbalance_misfit", PerIdleType{4, 5, 6});
  guest.set(domain, "sched_domain", "lb_nobusyq", PerIdleType{7, 8, 9});
  guest.set(domain, "sched_domain", "alb_count", std::uint32_t{10});
  guest.set(domain, "sched_domain", "ttwu_move_balance", std::uint32_t{11});
  const auto stats = read_chain(guest, domain).value()[0].stats.value();
  CHECK(stats.lb_count == PerIdleType{1, 2, 3});
  CHECK(stats.lb_imbalance_misfit == PerIdleType{4, 5, 6});
  CHECK(stats.lb_nobusyq == PerIdleType{7, 8, 9});
  CHECK(stats.alb_count == 10);
  CHECK(stats.ttwu_move_balance == 11);
  CHECK_FALSE(stats.lb_imbalance.has_value());
}

TEST_CASE("an older kernel's single imbalance counter is told apart") {
  KernelShape shape;
  shape.split_imbalance = false;
  SchedGuest guest(shape);
  const auto domain = guest.add_domain({}, 0, "MC", {0, 1});
  guest.set(domain, "sched_domain", "lb_imbalance", PerIdleType{1, 0, 2});
  const auto stats = read_chain(guest, domain).value()[0].stats.value();
  CHECK(stats.lb_imbalance == PerIdleType{1, 0, 2});
  CHECK_FALSE(stats.lb_imbalance_load.has_value());
  CHECK_FALSE(stats.lb_imbalance_misfit.has_value());
}

TEST_CASE("statistics that do not count, or do not exist, are absent") {
  SchedGuest guest;
  CHECK_FALSE(read_chain(guest, guest.add_domain({}, 0, "MC", {0}), false).value()[0].stats.has_value());
  KernelShape shape;
  shape.schedstats = shape.newidle = false;
  SchedGuest bare(shape);
  const auto domain = bare.add_domain({}, 0, "MC", {0});
  const auto chain = read_chain(bare, domain).value();
  CHECK_FALSE(chain[0].stats.has_value());
  CHECK_FALSE(chain[0].newidle_call.has_value());
  const auto missing = DomainReader::create(bare.btf())->missing();
  REQUIRE(missing.size() == 2);
  CHECK(missing[0].capability == "sched_domain statistics");
  CHECK(missing[0].reason.find("lb_count") != std::string::npos);
  CHECK(missing[1].capability == "newidle statistics");
}

TEST_CASE("a kernel without domains says so") {
  KernelShape shape;
  shape.domains = false;
  CHECK(DomainReader::create(SchedGuest(shape).btf()).error().message ==
        "no struct sched_domain in the kernel's BTF");
}

TEST_CASE("a domain that is its own parent, or a longer cycle, is an error") {
  SchedGuest guest;
  const auto lowest = guest.add_domain({}, 0, "SMT", {0});
  const auto top = guest.add_domain(lowest, 1, "MC", {0, 1});
  guest.set(top, "sched_domain", "parent", lowest);
  CHECK(error_of(guest, lowest).find("level 0 above level 1") != std::string::npos);
  guest.set(lowest, "sched_domain", "parent", lowest);
  CHECK(error_of(guest, lowest).find("level 0 above level 0") != std::string::npos);
}

TEST_CASE("a chain may be long but not endless") {
  SchedGuest guest;
  const auto lowest = guest.add_domain({}, 0, "L", {0});
  auto top = lowest;
  for (std::int32_t level = 1; level < static_cast<std::int32_t>(kMaxDomainLevels); ++level)
    top = guest.add_domain(top, level, "L", {0});
  CHECK(read_chain(guest, lowest).value().size() == kMaxDomainLevels);
  guest.add_domain(top, 1000, "L", {0});
  CHECK(error_of(guest, lowest).find("more than 32 levels") != std::string::npos);
}

TEST_CASE("pointers that lead nowhere are errors") {
  SchedGuest guest;
  const auto lowest = guest.add_domain({}, 0, "SMT", {0});
  CHECK(error_of(guest, KernelVirt(8)).find("no kernel pointer") != std::string::npos);
  CHECK(error_of(guest, lowest + 1).find("no kernel pointer") != std::string::npos);
  guest.set(lowest, "sched_domain", "parent", KernelVirt(0xffffc90000000000));
  CHECK(error_of(guest, lowest) == "sched_domain at 0xffffc90000000000: it can't be read");
}

TEST_CASE("a span that is not span_weight CPUs is a domain in the making") {
  SchedGuest guest;
  const auto domain = guest.add_domain({}, 0, "MC", {0, 1});
  guest.set(domain, "sched_domain", "span_weight", std::uint32_t{3});
  CHECK(error_of(guest, domain).find("span 0-1 but span_weight 3") != std::string::npos);
}

TEST_CASE("a wild name is absent and costs nothing else") {
  SchedGuest guest;
  const auto domain = guest.add_domain({}, 0, "MC", {0, 1});
  const auto name_with = [&](KernelVirt pointer) {
    guest.set(domain, "sched_domain", "name", pointer);
    return read_chain(guest, domain).value()[0].name;
  };
  CHECK(name_with(guest.add_string("PKG")) == "PKG");
  CHECK_FALSE(name_with(KernelVirt{}).has_value());
  CHECK_FALSE(name_with(KernelVirt(0xffffc90000000000)).has_value());
  CHECK_FALSE(name_with(KernelVirt(0x1234)).has_value());
  CHECK_FALSE(name_with(guest.add_string("bad\xff\x01")).has_value());
  CHECK_FALSE(name_with(guest.add_string(std::string(40, 'x'))).has_value());
}

}  // namespace ktstr::introspect
