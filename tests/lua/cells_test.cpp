// What public tests of a scheduler that gives each cgroup CPUs of its own (scx_mitosis) declare, as
// scenarios.
#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <set>

#include "lua/script_host.h"
#include "tests/lua/stand_in.h"

namespace ktstr::lua {

TEST_CASE("what public tests of a cell scheduler declare can be said in a scenario") {
  const test::StandIn scheduler("scx_ktstr");
  std::set<std::string> seen;
  for (const auto& entry : std::filesystem::directory_iterator(KTSTR_ROOT "/tests/lua/cells")) {
    const auto host = ScriptHost::load(entry.path());
    REQUIRE_MESSAGE(host.has_value(), host.error().message);
    seen.insert(entry.path().stem().string());
  }
  CHECK(seen == std::set<std::string>{"borrowing", "borrowing_cut", "full_coverage",
                                      "isolation_against_eevdf", "pinned_elsewhere", "pinned_then_saturated",
                                      "root_cell_starvation", "warm_up_then_starve"});
}

}  // namespace ktstr::lua
