#include "engine/base/describe.h"

#include <doctest/doctest.h>

#include "engine/base/read.h"
#include "engine/base/write.h"

namespace ktstr {
namespace {

enum class Colour { kRed, kGreen };

struct Spin {
  std::uint32_t iterations = 1024;

  static consteval auto describe() { return record("spin", "", field<&Spin::iterations>("")); }
};
struct Burst {
  Duration on = std::chrono::milliseconds(50);

  static consteval auto describe() { return record("burst", "", field<&Burst::on>("")); }
};

struct Sample {
  std::uint32_t count = 0;
  std::optional<double> rate;
  std::vector<std::string> names;
  std::map<std::string, Spin> spins;
  Colour colour{};
  std::variant<Spin, Burst> work;
  CpuSet cpus;
  ByteSize memory;
  std::array<std::uint32_t, 3> triple{};

  static consteval auto describe() {
    using T = Sample;
    return record("sample", "", field<&T::count>(""), field<&T::rate>(""), field<&T::names>(""),
                  field<&T::spins>(""), field<&T::colour>(""), field<&T::work>(""), field<&T::cpus>(""),
                  field<&T::memory>(""), field<&T::triple>(""));
  }
};

}  // namespace

template <>
inline constexpr auto describe<Colour> = enumeration<Colour>("colour", {{"red", Colour::kRed},
                                                                        {"green", Colour::kGreen}});

namespace {

ReadError error_of(std::string_view json) {
  Sample sample;
  const auto status = read(*parse_json(json), sample);
  return status.value_or(ReadError{"", "no error", 0});
}

}  // namespace

TEST_CASE("a described struct survives JSON out and in") {
  Sample sample{7,       std::nullopt, {"a", "b\n\"\\"}, {{"x", {3}}}, Colour::kGreen,
                Burst{}, {0, 1, 5},    {65536},          {1, 2, 3}};
  const auto json = to_json(sample);
  CHECK(json ==
        R"({"count":7,"rate":null,"names":["a","b\n\"\\"],"spins":{"x":{"iterations":3}},"colour":"green",)"
        R"("work":{"type":"burst","on":"50ms"},"cpus":"0-1,5","memory":"64K","triple":[1,2,3]})");
  const auto back = from_json<Sample>(json);
  REQUIRE(back.has_value());
  CHECK(to_json(*back) == json);
}

TEST_CASE("unknown keys name the place and the nearest known key") {
  const auto error = error_of(R"({"spins":{"web":{"iteratons":1}}})");
  CHECK(error.text() == "spins.web.iteratons: unknown key (did you mean \"iterations\"?)");
}

TEST_CASE("mistakes that do not follow from each other are all found") {
  const auto error =
      error_of(R"({"count":-1,"names":["a",2,3],"nmaes":[],"spins":{"x":{"iterations":true}}})");
  std::vector<std::string> texts{error.text()};
  for (const auto& other : error.others) texts.push_back(other.text());
  CHECK(texts == std::vector<std::string>{
                     "nmaes: unknown key (did you mean \"names\"?)",
                     "count: -1 is out of range (0 to 4294967295)",
                     "names[2]: expected a string, got a whole number (2)",
                     "names[3]: expected a string, got a whole number (3)",
                     "spins.x.iterations: expected a whole number, got a boolean (true)",
                 });
}

TEST_CASE("of very many mistakes the first are kept and the others counted") {
  std::string list = "1";
  for (int i = 1; i < 50'000; ++i) list += ",1";
  const auto error = error_of(R"({"names":[)" + list + "]}");
  CHECK(error.others.size() == 19);
  CHECK(error.left_out == 50'000 - 20);
}

TEST_CASE("one value where a list should be is told how to write it") {
  CHECK(error_of(R"({"names":{"type":"cpu_spin"}})").text() ==
        "names: expected a list, got one cpu_spin: a list of one has braces of its own, names = { ... }");
  CHECK(error_of(R"({"names":{"x":1}})").text() ==
        "names: expected a list, got a table: a list of one has braces of its own, names = { ... }");
}

TEST_CASE("a long value is shown in part") {
  const auto text = error_of(R"({"count":")" + std::string(1000, 'x') + R"("})").text();
  CHECK(text == "count: expected a whole number, got a string (\"" + std::string(40, 'x') + "...\")");
}

TEST_CASE("wrong kinds and ranges are told with the path") {
  CHECK(error_of(R"({"count":-1})").text() == "count: -1 is out of range (0 to 4294967295)");
  CHECK(error_of(R"({"count":1.5})").text() == "count: expected a whole number, got a number (1.5)");
  CHECK(error_of(R"({"names":["a",2]})").text() == "names[2]: expected a string, got a whole number (2)");
  CHECK(error_of(R"({"colour":"gren"})").text() ==
        "colour: unknown colour \"gren\" (did you mean \"green\"?)");
  CHECK(error_of(R"({"work":{"type":"brust"}})").text() ==
        "work: unknown type \"brust\" (did you mean \"burst\"?)");
  CHECK(error_of(R"({"triple":[1,2]})").text() == "triple: expected 3 elements, got 2");
}

TEST_CASE("a file of our own must hold every member that is not optional") {
  CHECK(from_json<Sample>("{}").error().message == "missing \"count\"");
  CHECK(from_json<Spin>("{\"iterations\":}").error().message == "JSON, byte 14: Invalid value.");
}

TEST_CASE("JSON of hostile depth is refused") {
  CHECK_FALSE(parse_json(std::string(100'000, '[')).has_value());
}

}  // namespace ktstr
