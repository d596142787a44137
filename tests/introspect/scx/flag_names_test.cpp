#include "introspect/scx/flag_names.h"

#include <doctest/doctest.h>

#include "tests/introspect/fake_btf.h"

namespace ktstr::introspect::test {
namespace {

Btf flags() {
  FakeBtf btf;
  btf.enumeration("flags", {{"F_ONE", 1}, {"F_FOUR", 4}, {"F_TWO", 2}, {"F_STATE_SHIFT", 8}, {"F_BOTH", 3}});
  return btf.parsed();
}

}  // namespace

TEST_CASE("set bits are named from the lowest, and those without a name come last as one number") {
  const FlagNames names(flags(), "flags", "F_");
  CHECK(names.names_of(4 | 1) == std::vector<std::string>{"ONE", "FOUR"});
  CHECK(names.names_of(2 | 0x30) == std::vector<std::string>{"TWO", "0x30"});
  CHECK(names.names_of(0).empty());
}

TEST_CASE("what describes a field is no flag, and bits outside the mask are not shown") {
  CHECK(FlagNames(flags(), "flags", "F_").names_of(8) == std::vector<std::string>{"0x8"});
  CHECK(FlagNames(flags(), "flags", "F_", 5).names_of(0xff) == std::vector<std::string>{"ONE", "FOUR"});
}

TEST_CASE("a value has the name of its enumerator, or none") {
  const Btf btf = flags();
  const auto enumerators = btf.enumerators("flags");
  CHECK(name_of(enumerators, 3) == "F_BOTH");
  CHECK(name_of(enumerators, 3, "F_") == "BOTH");
  CHECK_FALSE(name_of(enumerators, 77).has_value());
}

}  // namespace ktstr::introspect::test
