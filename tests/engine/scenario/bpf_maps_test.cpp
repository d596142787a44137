// Ops on BPF maps: what is refused before anything boots.
#include <doctest/doctest.h>

#include "tests/engine/scenario/ops_outcome.h"

namespace ktstr::engine {
namespace {

std::string write(const std::string& members) {
  return ops_outcome(R"({"type": "write_bpf_map", )" + members + "}");
}
std::string read(const std::string& members) {
  return ops_outcome(R"({"type": "read_bpf_map", )" + members + "}");
}
std::string pin(const std::string& members) {
  return R"({"type": "pin_bpf_map", )" + members + "}";
}

}  // namespace

TEST_CASE("a boolean, a number and a text are values") {
  for (const auto* value : {"true", "-1", "18446744073709551615", "0.5", "\"victim\"", "\"\""})
    CHECK(write(R"("map": "ktstr.bss", "variable": "a.b[2][3]", "value": )" + std::string(value)) == "ok");
}

TEST_CASE("anything else is none") {
  CHECK(write(R"("map": "ktstr.bss", "variable": "a")") == "[1]: missing \"value\"");
  CHECK(write(R"("map": "ktstr.bss", "variable": "a", "value": [1])") ==
        "[1].value: expected true or false, a number or a string, got a list");
}

TEST_CASE("names that BPF can't have are told") {
  CHECK(write(R"("map": "ktstr-bss", "variable": "a", "value": 1)") ==
        "[1].map: \"ktstr-bss\" can't be a map's name: letters, digits, \"_\" and \".\"");
  CHECK(read(R"("map": "", "variable": "a")") ==
        "[1].map: \"\" can't be a map's name: letters, digits, \"_\" and \".\"");
  CHECK(read(R"("map": "ktstr.bss", "variable": "a b")") ==
        "[1].variable: \"a b\" is no variable: expected one such as \"counter\" or \"tuning.steps[2]\"");
  CHECK(read(R"("map": "ktstr.bss", "variable": "a", "name": "")") == "[1].name: expected a name");
  CHECK(read(R"("map": "ktstr.bss", "variable": "a", "name": "in the middle")") == "ok");
  CHECK(ops_outcome(pin(R"("map": "ktstr.bss", "name": "old one")")) ==
        "[1].name: \"old one\" can't be a map's name: letters, digits, \"_\" and \".\"");
}

TEST_CASE("a pin's name stands for one map") {
  CHECK(ops_outcome(pin(R"("map": "ktstr.bss")")) == "ok");
  CHECK(ops_outcome(pin(R"("map": "ktstr.bss", "name": "ktstr.bss")")) ==
        "[1].name: must be another name than the map's own");
  const auto old_bss = pin(R"("map": "ktstr.bss", "name": "old")");
  CHECK(ops_outcome(old_bss + "," + old_bss) == "ok");
  CHECK(ops_outcome(old_bss, R"({"type": "loop", "interval": "1s"})") == "ok");
  CHECK(ops_outcome(old_bss + "," + pin(R"("map": "ktstr.data", "name": "old")")) ==
        "[2].name: \"old\" stands for the map ktstr.bss already");
}

}  // namespace ktstr::engine
