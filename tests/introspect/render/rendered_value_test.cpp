#include "introspect/render/rendered_value.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "introspect/render/plain_value.h"
#include "introspect/render/rendered_value_json.h"

using namespace ktstr;
using namespace ktstr::introspect;

namespace {

RenderedValue pointer_to(RenderedValue object) {
  RenderedTarget target;
  target.deref = std::move(object);
  target.cast_annotation = "sdt_alloc";
  return {RenderedPtr{0x1000, Boxed(std::move(target))}};
}

RenderedValue one_of_each() {
  RenderedTarget symbol;
  symbol.symbol = "schedule+0x1c";
  RenderedTarget skipped;
  skipped.deref_skipped_reason = "cycle → 0x10";
  std::vector<RenderedMember> members{
      {"int", {RenderedInt{32, -7}}},
      {"uint", {RenderedUint{64, ~std::uint64_t{0}}}},
      {"bool", {RenderedBool{true}}},
      {"char", {RenderedChar{255}}},
      {"float", {RenderedFloat{64, 0.1}}},
      {"infinite", {RenderedFloat{32, -std::numeric_limits<double>::infinity()}}},
      {"nan", {RenderedFloat{32, std::nan("")}}},
      {"enum", {RenderedEnum{32, -1, "BAD", true}}},
      {"unknown", {RenderedEnum{8, 200, std::nullopt, false}}},
      {"array", {RenderedArray{9, {{RenderedInt{8, 1}}, {RenderedInt{8, 2}}}}}},
      {"text", {RenderedText{16, std::string("ab\0\xff", 4)}}},
      {"cpus", {RenderedCpuList{"0-2,5"}}},
      {"null", {RenderedPtr{}}},
      {"function", {RenderedPtr{0xffff'ffff'8100'0000, Boxed(std::move(symbol))}}},
      {"cycle", {RenderedPtr{16, Boxed(std::move(skipped))}}},
      {"bytes", {RenderedBytes{"00 ff"}}},
      {"cut", {RenderedTruncated{8, 2, Boxed(RenderedValue{RenderedBytes{"01 02"}})}}},
      {"", {RenderedStruct{std::nullopt, {{"inner", {RenderedUnsupported{"void"}}}}}}}};
  return pointer_to({RenderedStruct{"all", std::move(members)}});
}

std::string plain(const RenderedValue& value) {
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
  write_plain(writer, value);
  return {buffer.GetString(), buffer.GetSize()};
}

}  // namespace

TEST_CASE("a rendered value survives JSON") {
  const RenderedValue value = one_of_each();
  const auto back = from_json<RenderedValue>(to_json(value));
  REQUIRE_MESSAGE(back.has_value(), back.error().message);
  CHECK(*back == value);
}

TEST_CASE("the JSON form is tagged by kind") {
  CHECK(to_json(RenderedValue{RenderedUint{32, 5}}) == R"({"kind":"uint","bits":32,"value":5})");
  CHECK(to_json(RenderedValue{RenderedEnum{32, 1, "A", false}}) ==
        R"({"kind":"enum","bits":32,"value":1,"variant":"A","is_signed":false})");
  CHECK(
      to_json(RenderedValue{RenderedStruct{"s", {{"m", {RenderedBool{false}}}}}}) ==
      R"({"kind":"struct","type_name":"s","members":[{"name":"m","value":{"kind":"bool","value":false}}]})");
  CHECK(to_json(RenderedValue{RenderedText{2, "a"}}) ==
        R"({"kind":"array","len":2,"elements":[{"kind":"char","value":97}]})");
  CHECK(to_json(RenderedValue{RenderedPtr{}}) == R"({"kind":"ptr","value":0})");
  CHECK(to_json(RenderedValue{RenderedCpuList{"0-3"}}) == R"({"kind":"cpu_list","cpus":"0-3"})");
}

TEST_CASE("damaged JSON names the place") {
  const auto message = [](std::string_view text) { return from_json<RenderedValue>(text).error().message; };
  CHECK(message(R"({"bits":1})").find("kind") != std::string::npos);
  CHECK(message(R"({"kind":"void"})").find("unknown kind \"void\"") != std::string::npos);
  CHECK(message(R"({"kind":"uint","bits":8})").find("value") != std::string::npos);
  CHECK(message(R"({"kind":"array","len":1,"elements":[{"kind":"bool","value":3}]})")
            .find("elements[1].value") != std::string::npos);
}

TEST_CASE("values nested without end are refused") {
  std::string text = R"({"kind":"bytes","hex":""})";
  for (int i = 0; i < 200; ++i) text = R"({"kind":"truncated","needed":1,"had":0,"partial":)" + text + "}";
  CHECK_FALSE(from_json<RenderedValue>(text).has_value());
}

TEST_CASE("a copy is a value of its own") {
  RenderedValue value = one_of_each();
  const RenderedValue copy = value;
  auto& pointer = std::get<RenderedPtr>(value.data);
  pointer.target->cast_annotation = "changed";
  CHECK_FALSE(value == copy);
  value = copy;
  CHECK(value == copy);
}

TEST_CASE("numbers only where the value is one") {
  CHECK(RenderedValue{RenderedInt{32, -1}}.as_i64() == -1);
  CHECK_FALSE(RenderedValue{RenderedInt{32, -1}}.as_u64().has_value());
  CHECK_FALSE(RenderedValue{RenderedUint{64, ~std::uint64_t{0}}}.as_i64().has_value());
  CHECK(RenderedValue{RenderedEnum{64, -1, std::nullopt, false}}.as_u64() == ~std::uint64_t{0});
  CHECK_FALSE(RenderedValue{RenderedCpuList{"1"}}.as_u64().has_value());
}

TEST_CASE("text for people") {
  const RenderedValue small{RenderedStruct{"task_ctx",
                                           {{"weight", {RenderedUint{64, 1024}}},
                                            {"comm", {RenderedText{16, std::string("busy\n\0xx", 8)}}},
                                            {"state", {RenderedEnum{32, 2, "RUNNING", false}}},
                                            {"cpus", {RenderedCpuList{"0-3"}}}}}};
  CHECK(to_text(small) == "task_ctx{weight=1024, comm=\"busy\\n\", state=RUNNING (2), cpus={0-3}}");
  CHECK(to_text(pointer_to(small)).starts_with("0x1000 (sdt_alloc) -> task_ctx{"));
}

TEST_CASE("long structs take a line for each member") {
  std::vector<RenderedMember> members;
  for (int i = 0; i < 30; ++i) members.push_back({"member", {RenderedUint{32, 1}}});
  const std::string text = to_text(RenderedValue{RenderedStruct{"wide", std::move(members)}}, 1);
  CHECK(text.starts_with("wide{\n    member=1\n"));
  CHECK(text.ends_with("\n  }"));
}

TEST_CASE("a long array of numbers fills its lines") {
  RenderedArray array{30, {}};
  for (std::uint64_t i = 0; i < 30; ++i) array.elements.push_back({RenderedUint{32, 1000000 + i}});
  const std::string text = to_text(RenderedValue{array});
  CHECK(text.starts_with("[\n  1000000, 1000001, "));
  CHECK(std::count(text.begin(), text.end(), '\n') == 4);
}

TEST_CASE("runs of zeros are gathered") {
  RenderedArray array{20, {}};
  for (std::uint64_t i = 0; i < 10; ++i) array.elements.push_back({RenderedUint{32, i == 7 ? 1U : 0U}});
  CHECK(to_text(RenderedValue{array}) == "[0 x 7, 1, 0, 0, ... 10 more]");
  array.elements[7] = {RenderedUint{32, 0}};
  array.len = 10;
  CHECK(to_text(RenderedValue{array}) == "[all 10 zero]");
}

TEST_CASE("bytes that are a C string are shown as one") {
  RenderedArray array{
      4, {{RenderedUint{8, 'h'}}, {RenderedUint{8, 'i'}}, {RenderedUint{8, 0}}, {RenderedUint{8, 0}}}};
  CHECK(to_text(RenderedValue{array}) == "\"hi\"");
  CHECK(RenderedValue{array}.text() == "hi");
  array.elements[3] = {RenderedUint{8, 200}};
  CHECK(to_text(RenderedValue{array}) == "[104, 105, 0, 200]");
}

TEST_CASE("a script sees plain values") {
  CHECK(plain(pointer_to(
            {RenderedStruct{"s",
                            {{"n", {RenderedUint{64, 7}}},
                             {"", {RenderedStruct{std::nullopt, {{"inner", {RenderedBool{true}}}}}}},
                             {"state", {RenderedEnum{32, 2, "RUNNING", false}}},
                             {"odd", {RenderedEnum{32, -3, std::nullopt, true}}},
                             {"comm", {RenderedText{8, std::string("a\0b", 3)}}},
                             {"list", {RenderedArray{2, {{RenderedInt{32, -1}}, {RenderedPtr{}}}}}},
                             {"none", {RenderedUnsupported{"void"}}}}}})) ==
        R"({"n":7,"inner":true,"state":"RUNNING","odd":-3,"comm":"a","list":[-1,0],"none":null})");
}
