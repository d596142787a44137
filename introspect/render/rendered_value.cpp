#include "introspect/render/rendered_value.h"

#include <utility>

namespace ktstr::introspect {

namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";

/// The value itself, or what a followed pointer or a truncation holds.
const RenderedValue& innermost(const RenderedValue& value) {
  const RenderedValue* current = &value;
  while (true) {
    const auto* pointer = current->get_if<RenderedPtr>();
    const auto* truncated = current->get_if<RenderedTruncated>();
    if (pointer && pointer->target && pointer->target->deref)
      current = &*pointer->target->deref;
    else if (truncated && truncated->partial)
      current = &*truncated->partial;
    else
      return *current;
  }
}

/// The byte of an 8-bit integer or char.
std::optional<char> byte_of(const RenderedValue& value) {
  if (const auto* character = value.get_if<RenderedChar>()) return static_cast<char>(character->value);
  const auto* number = value.get_if<RenderedUint>();
  if (number && number->bits == 8) return static_cast<char>(number->value);
  const auto* signed_number = value.get_if<RenderedInt>();
  if (signed_number && signed_number->bits == 8) return static_cast<char>(signed_number->value);
  return std::nullopt;
}

}  // namespace

const RenderedValue* RenderedValue::member(std::string_view name) const {
  const auto* structure = innermost(*this).get_if<RenderedStruct>();
  if (structure == nullptr) return nullptr;
  for (const RenderedMember& candidate : structure->members)
    if (candidate.name == name) return &candidate.value;
  for (const RenderedMember& candidate : structure->members)
    if (candidate.name.empty())
      if (const RenderedValue* found = candidate.value.member(name)) return found;
  return nullptr;
}

const RenderedValue* RenderedValue::get(std::string_view path) const {
  const RenderedValue* current = this;
  while (current != nullptr && !path.empty()) {
    const auto dot = path.find('.');
    current = current->member(path.substr(0, dot));
    path = dot == std::string_view::npos ? std::string_view() : path.substr(dot + 1);
  }
  return current;
}

const RenderedValue* RenderedValue::index(std::size_t position) const {
  const auto* array = innermost(*this).get_if<RenderedArray>();
  return array && position < array->elements.size() ? &array->elements[position] : nullptr;
}

std::optional<std::uint64_t> RenderedValue::as_u64() const {
  if (const auto* kind = get_if<RenderedUint>()) return kind->value;
  if (const auto* kind = get_if<RenderedPtr>()) return kind->value;
  if (const auto* kind = get_if<RenderedEnum>(); kind && !kind->is_signed)
    return static_cast<std::uint64_t>(kind->value);
  const auto number = as_i64();
  return number && *number >= 0 ? std::optional(static_cast<std::uint64_t>(*number)) : std::nullopt;
}

std::optional<std::int64_t> RenderedValue::as_i64() const {
  if (const auto* kind = get_if<RenderedInt>()) return kind->value;
  if (const auto* kind = get_if<RenderedEnum>(); kind && kind->is_signed) return kind->value;
  if (const auto* kind = get_if<RenderedBool>()) return kind->value ? 1 : 0;
  if (const auto* kind = get_if<RenderedChar>()) return kind->value;
  std::optional<std::uint64_t> number;
  if (const auto* kind = get_if<RenderedUint>()) number = kind->value;
  if (const auto* kind = get_if<RenderedPtr>()) number = kind->value;
  if (const auto* kind = get_if<RenderedEnum>()) number = static_cast<std::uint64_t>(kind->value);
  if (!number || !std::in_range<std::int64_t>(*number)) return std::nullopt;
  return static_cast<std::int64_t>(*number);
}

std::optional<std::string> RenderedValue::text() const {
  const RenderedValue& inner = innermost(*this);
  if (const auto* text = inner.get_if<RenderedText>()) return std::string(text->c_string());
  const auto* array = inner.get_if<RenderedArray>();
  if (array == nullptr) return std::nullopt;
  std::string result;
  for (const RenderedValue& element : array->elements) {
    const auto byte = byte_of(element);
    if (!byte) return std::nullopt;
    if (*byte == '\0') break;
    result += *byte;
  }
  return result;
}

std::string hex_dump(std::span<const std::byte> bytes) {
  std::string result;
  result.reserve(bytes.size() * 3);
  for (const std::byte byte : bytes) {
    if (!result.empty()) result += ' ';
    result += kHexDigits[std::to_integer<unsigned>(byte) >> 4];
    result += kHexDigits[std::to_integer<unsigned>(byte) & 15];
  }
  return result;
}

}  // namespace ktstr::introspect
