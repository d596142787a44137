// Variables in global sections, by name, and values for them.
#include <bpf/btf.h>
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>

#include "engine/base/nearest.h"
#include "introspect/bpf/write_map.h"

namespace ktstr::introspect {
namespace {

std::string text_of(const ScalarValue& value) {
  if (const auto* flag = std::get_if<bool>(&value)) return *flag ? "true" : "false";
  if (const auto* number = std::get_if<std::int64_t>(&value)) return std::to_string(*number);
  if (const auto* number = std::get_if<std::uint64_t>(&value)) return std::to_string(*number);
  if (const auto* number = std::get_if<double>(&value)) return std::to_string(*number);
  return '"' + std::get<std::string>(value) + '"';
}

/// An integer as its sign and its 64 bits.
struct Integer {
  bool negative = false;
  std::uint64_t bits = 0;
};

std::optional<Integer> integer_of(const ScalarValue& value) {
  if (const auto* flag = std::get_if<bool>(&value)) return Integer{false, *flag ? 1U : 0U};
  if (const auto* number = std::get_if<std::uint64_t>(&value)) return Integer{false, *number};
  if (const auto* number = std::get_if<std::int64_t>(&value))
    return Integer{*number < 0, static_cast<std::uint64_t>(*number)};
  const auto* number = std::get_if<double>(&value);
  if (number == nullptr || *number != std::floor(*number)) return std::nullopt;
  if (*number >= 0 && *number < 0x1p64) return Integer{false, static_cast<std::uint64_t>(*number)};
  if (*number < 0 && *number >= -0x1p63)
    return Integer{true, static_cast<std::uint64_t>(static_cast<std::int64_t>(*number))};
  return std::nullopt;
}

bool fits(const Integer& value, std::uint32_t bits, bool is_signed) {
  if (bits == 0 || bits > 64) return false;
  const std::uint32_t value_bits = bits - (is_signed ? 1 : 0);
  const std::uint64_t positive_limit = value_bits == 0 ? 0 : ~std::uint64_t{0} >> (64 - value_bits);
  if (!value.negative) return value.bits <= positive_limit;
  return is_signed && ~value.bits <= positive_limit;
}

std::vector<std::byte> low_bytes(std::uint64_t value, std::size_t size) {
  std::vector<std::byte> bytes(size);
  std::memcpy(bytes.data(), &value, std::min(size, sizeof(value)));
  return bytes;
}

Result<std::vector<std::byte>> encode_float(double value, std::uint64_t size) {
  if (size == sizeof(double)) return low_bytes(std::bit_cast<std::uint64_t>(value), size);
  if (size == sizeof(float) && std::isfinite(value) && std::fabs(value) > std::numeric_limits<float>::max())
    return invalid_argument(text_of(value) + " does not fit float");
  if (size == sizeof(float)) return low_bytes(std::bit_cast<std::uint32_t>(static_cast<float>(value)), size);
  return invalid_argument("a floating point number of " + std::to_string(size) + " bytes");
}

Result<std::vector<std::byte>> encode_text(const std::string& text, std::uint64_t size) {
  if (text.size() >= size)
    return invalid_argument("\"" + text + "\" and its end do not fit " + std::to_string(size) +
                            " characters");
  std::vector<std::byte> bytes(size);
  std::memcpy(bytes.data(), text.data(), text.size());
  return bytes;
}

/// What a value of one type can be.
struct ScalarType {
  enum class Kind { kInteger, kBool, kFloat, kText };
  Kind kind{};
  bool is_signed = false;
  std::uint64_t size = 0;
  std::string_view name;
};

std::optional<ScalarType> scalar_type(const Btf& btf, BtfTypeId id) {
  using Kind = ScalarType::Kind;
  const BtfTypeId plain = btf.strip(id);
  const btf_type* type = btf.type(plain);
  const std::uint64_t size = btf.size_of(plain).value_or(0);
  if (type == nullptr || size == 0) return std::nullopt;
  const std::string_view name = btf.name_of(plain);
  if (btf_is_int(type)) {
    const bool is_bool = (btf_int_encoding(type) & BTF_INT_BOOL) != 0;
    const bool is_signed = (btf_int_encoding(type) & BTF_INT_SIGNED) != 0;
    return ScalarType{is_bool ? Kind::kBool : Kind::kInteger, is_signed, size, name};
  }
  if (btf_is_any_enum(type)) return ScalarType{Kind::kInteger, btf_kflag(type), size, name};
  if (btf_is_ptr(type)) return ScalarType{Kind::kInteger, false, size, "a pointer"};
  if (btf_is_float(type)) return ScalarType{Kind::kFloat, true, size, name};
  const auto array = btf.array(plain);
  if (array && btf.name_of(btf.strip(array->second)) == "char")
    return ScalarType{Kind::kText, false, size, "an array of char"};
  return std::nullopt;
}

/// The value's part that "[3]" or "[3][1]" at the start of `path` names; `path` keeps the rest.
Result<BtfMember> element_of(const Btf& btf, BtfMember place, std::string_view& path) {
  while (path.starts_with('[')) {
    const auto array = btf.array(place.type);
    std::uint64_t index = 0;
    const auto [end, error] = std::from_chars(path.data() + 1, path.data() + path.size(), index);
    const bool well_formed = error == std::errc{} && end != path.data() + path.size() && *end == ']';
    if (!well_formed) return invalid_argument("no index in " + std::string(path));
    if (!array || index >= array->first || !btf.size_of(place.type))
      return Error{ErrorCode::kNotFound, "no element [" + std::to_string(index) + "]"};
    const std::uint64_t size = btf.size_of(array->second).value_or(0);
    place = {array->second, place.bit_offset + index * size * 8, size, 0};
    path.remove_prefix(static_cast<std::size_t>(end - path.data()) + 1);
  }
  return place;
}

Result<BtfMember> part_of(const Btf& btf, BtfTypeId type, std::string_view path) {
  const BtfMember whole{type, 0, btf.size_of(type).value_or(0), 0};
  BtfMember place = KTSTR_TRY(element_of(btf, whole, path));
  if (path.empty()) return place;
  if (!path.starts_with('.')) return invalid_argument("no member or index in " + std::string(path));
  BtfMember member = KTSTR_TRY(btf.member(place.type, path.substr(1)));
  member.bit_offset += place.bit_offset;
  return member;
}

double as_double(const ScalarValue& value) {
  return std::visit(
      [](const auto& number) -> double {
        if constexpr (std::is_same_v<std::remove_cvref_t<decltype(number)>, std::string>)
          return std::numeric_limits<double>::quiet_NaN();
        else
          return static_cast<double>(number);
      },
      value);
}

Error no_variable(const BpfMapInfo& map, std::string_view name, const std::vector<BtfVariable>& variables) {
  std::vector<std::string_view> known;
  for (const BtfVariable& variable : variables) known.push_back(variable.name);
  return {ErrorCode::kNotFound,
          "no variable " + std::string(name) + " in " + map.name + did_you_mean(name, known)};
}

}  // namespace

Status check_global_size(std::string_view what, std::uint64_t size) {
  if (size <= kMaxGlobalBytes) return ok();
  return Error{
      ErrorCode::kOutOfRange,
      fmt::format("{} has {} bytes; at most {} are read or written at once: name a member or an element",
                  what, size, kMaxGlobalBytes)};
}

Result<GlobalPlace> find_global(const BpfMapInfo& map, const Btf& btf, std::string_view path) {
  const BtfTypeId section{map.btf_value_type_id};
  const auto variables = btf.variables(section);
  if (map.type != map_type::kArray || map.max_entries != 1 || variables.empty())
    return invalid_argument("map " + map.name + " is no global section");
  const std::string_view name = path.substr(0, path.find_first_of(".["));
  const auto variable = std::ranges::find(variables, name, &BtfVariable::name);
  if (name.empty() || variable == variables.end()) return no_variable(map, name, variables);
  const BtfMember place = KTSTR_TRY(part_of(btf, variable->type, path.substr(name.size())));
  GlobalPlace result{place.type, variable->offset + place.byte_offset(), place.size_bytes, 0, 0};
  if (place.bitfield_bits != 0) {
    const std::uint64_t unit = place.size_bytes * 8;
    if (unit == 0 || unit > 64 || place.bit_offset % unit + place.bitfield_bits > unit)
      return corrupted(std::string(path) + " is a bitfield that does not fit its type");
    result.offset = variable->offset + place.bit_offset / unit * place.size_bytes;
    result.bit_shift = static_cast<std::uint32_t>(place.bit_offset % unit);
    result.bit_width = place.bitfield_bits;
  }
  if (result.size == 0 || result.offset > map.value_size || result.size > map.value_size - result.offset)
    return corrupted(std::string(path) + " lies outside " + map.name);
  KTSTR_TRY(check_global_size(path, result.size));
  return result;
}

Result<std::vector<std::byte>> encode_scalar(const Btf& btf, BtfTypeId type, const ScalarValue& value) {
  using Kind = ScalarType::Kind;
  const auto scalar = scalar_type(btf, type);
  if (!scalar) return invalid_argument("the type is no number, enum, pointer or text");
  const std::string what(scalar->name);
  const auto* text = std::get_if<std::string>(&value);
  if ((text != nullptr) != (scalar->kind == Kind::kText))
    return invalid_argument(text_of(value) + " is no " + what);
  if (text != nullptr) return encode_text(*text, scalar->size);
  if (scalar->kind == Kind::kFloat) return encode_float(as_double(value), scalar->size);
  const auto number = integer_of(value);
  const auto bits = scalar->kind == Kind::kBool ? 1 : static_cast<std::uint32_t>(scalar->size * 8);
  if (!number || scalar->size > sizeof(std::uint64_t) || !fits(*number, bits, scalar->is_signed))
    return invalid_argument(text_of(value) + " does not fit " + what);
  return low_bytes(number->bits, scalar->size);
}

Result<std::uint64_t> encode_bits(const Btf& btf, const GlobalPlace& place, const ScalarValue& value) {
  const auto scalar = scalar_type(btf, place.type);
  const auto number = integer_of(value);
  if (!scalar || !number || !fits(*number, place.bit_width, scalar->is_signed))
    return invalid_argument(text_of(value) + " does not fit a bitfield of " +
                            std::to_string(place.bit_width) + " bits");
  return number->bits & (~std::uint64_t{0} >> (64 - place.bit_width));
}

}  // namespace ktstr::introspect
