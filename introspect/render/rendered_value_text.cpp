// RenderedValue for people.
#include <fmt/format.h>

#include <algorithm>

#include "engine/base/printable.h"
#include "introspect/render/rendered_value.h"

namespace ktstr::introspect {

namespace {

constexpr std::size_t kLineWidth = 100;
constexpr std::size_t kShortestZeroRun = 4;  // fewer zeros in a row are spelled out

bool is_zero(const RenderedValue& value) {
  if (const auto* pointer = value.get_if<RenderedPtr>()) return pointer->value == 0;
  if (const auto* real = value.get_if<RenderedFloat>()) return real->value == 0;
  if (const auto* structure = value.get_if<RenderedStruct>())
    return !structure->members.empty() &&
           std::ranges::all_of(structure->members, [](const auto& member) { return is_zero(member.value); });
  if (const auto* array = value.get_if<RenderedArray>())
    return array->elements.size() == array->len && std::ranges::all_of(array->elements, is_zero);
  if (const auto* text = value.get_if<RenderedText>())
    return text->bytes.find_first_not_of('\0') == std::string::npos;
  if (const auto* number = value.get_if<RenderedEnum>()) return number->value == 0;
  return value.as_i64() == 0;
}

bool is_text_byte(std::uint8_t byte) {
  return byte == 0 || byte == '\n' || byte == '\t' || (byte >= 0x20 && byte < 0x7f);
}

/// An array of u8 or s8 that holds a C string: it begins with a printable byte and holds nothing unprintable.
bool looks_like_text(const RenderedArray& array) {
  const auto byte = [](const RenderedValue& element) -> std::optional<std::uint8_t> {
    const auto* number = element.get_if<RenderedUint>();
    if (number && number->bits == 8) return static_cast<std::uint8_t>(number->value);
    const auto* signed_number = element.get_if<RenderedInt>();
    if (signed_number && signed_number->bits == 8) return static_cast<std::uint8_t>(signed_number->value);
    return std::nullopt;
  };
  if (array.elements.size() < 2 || byte(array.elements.front()).value_or(0) == 0) return false;
  return std::ranges::all_of(array.elements, [&](const RenderedValue& element) {
    const auto value = byte(element);
    return value && is_text_byte(*value);
  });
}

class TextWriter {
 public:
  std::string value(const RenderedValue& value, std::size_t indent) const {
    return std::visit([&](const auto& kind) { return text(kind, indent); }, value.data);
  }

 private:
  static std::string text(const RenderedInt& kind, std::size_t) { return std::to_string(kind.value); }
  static std::string text(const RenderedUint& kind, std::size_t) { return std::to_string(kind.value); }
  static std::string text(const RenderedBool& kind, std::size_t) { return kind.value ? "true" : "false"; }
  static std::string text(const RenderedChar& kind, std::size_t) {
    return '\'' + printable(std::string_view(reinterpret_cast<const char*>(&kind.value), 1)) + '\'';
  }
  static std::string text(const RenderedFloat& kind, std::size_t) {
    return fmt::format("{:.{}g}", kind.value, kind.bits <= 32 ? 9 : 17);
  }
  static std::string text(const RenderedEnum& kind, std::size_t) {
    const std::string number =
        kind.is_signed ? std::to_string(kind.value) : std::to_string(static_cast<std::uint64_t>(kind.value));
    return kind.variant ? printable(*kind.variant) + " (" + number + ')' : number;
  }
  static std::string text(const RenderedCpuList& kind, std::size_t) {
    return '{' + printable(kind.cpus) + '}';
  }
  static std::string text(const RenderedBytes& kind, std::size_t) { return printable(kind.hex); }
  static std::string text(const RenderedUnsupported& kind, std::size_t) {
    return "<unsupported: " + printable(kind.reason) + '>';
  }
  static std::string text(const RenderedText& kind, std::size_t) {
    std::string result = '"' + printable(kind.c_string()) + '"';
    const bool ended = kind.c_string().size() < kind.bytes.size();
    return kind.bytes.size() < kind.len && !ended ? result + "..." : result;
  }
  std::string text(const RenderedTruncated& kind, std::size_t indent) const {
    const std::string mark =
        "<truncated: " + std::to_string(kind.had) + " of " + std::to_string(kind.needed) + " bytes>";
    return kind.partial && kind.had != 0 ? mark + ' ' + value(*kind.partial, indent) : mark;
  }
  std::string text(const RenderedPtr& kind, std::size_t indent) const {
    std::string result = kind.value == 0 ? "NULL" : fmt::format("{:#x}", kind.value);
    if (!kind.target) return result;
    const RenderedTarget& target = *kind.target;
    if (target.symbol) result += " <" + printable(*target.symbol) + '>';
    if (target.cast_annotation) result += " (" + printable(*target.cast_annotation) + ')';
    if (target.deref) return result + " -> " + value(*target.deref, indent);
    if (!target.deref_skipped_reason) return result;
    const bool is_cycle = target.deref_skipped_reason->starts_with("cycle ");
    return result + (is_cycle ? " [cycle]" : " [chase: " + printable(*target.deref_skipped_reason) + ']');
  }
  std::string text(const RenderedStruct& kind, std::size_t indent) const;
  std::string text(const RenderedArray& kind, std::size_t indent) const;
  std::vector<std::string> items(const RenderedArray& array, std::size_t indent) const;
  static std::string wrapped(const std::vector<std::string>& items, std::string_view open,
                             std::string_view close, std::size_t indent, bool packed);
};

/// All on one line if that is short enough; otherwise one item a line, or as many as fit when `packed`.
std::string TextWriter::wrapped(const std::vector<std::string>& items, std::string_view open,
                                std::string_view close, std::size_t indent, bool packed) {
  std::size_t width = open.size() + close.size() + 2 * indent;
  bool single_line = true;
  for (const std::string& item : items) {
    width += item.size() + 2;
    single_line = single_line && item.find('\n') == std::string::npos;
  }
  const bool in_line = single_line && width <= kLineWidth;
  std::string result(open);
  std::size_t column = kLineWidth;
  for (const std::string& item : items) {
    const bool fits = in_line || (packed && column + 2 + item.size() < kLineWidth);
    if (!fits)
      result.append(1, '\n').append(2 * (indent + 1), ' '), column = 2 * (indent + 1);
    else if (&item != &items.front())
      result += ", ", column += 2;
    result += item;
    column += item.size();
  }
  if (!in_line) result.append(1, '\n').append(2 * indent, ' ');
  return result.append(close);
}

std::string TextWriter::text(const RenderedStruct& kind, std::size_t indent) const {
  std::vector<std::string> lines;
  lines.reserve(kind.members.size());
  for (const RenderedMember& member : kind.members) {
    const std::string shown = value(member.value, indent + 1);
    lines.push_back(member.name.empty() ? shown : printable(member.name) + '=' + shown);
  }
  return wrapped(lines, printable(kind.type_name.value_or("")) + '{', "}", indent, false);
}

/// The elements, equal neighbours of zero gathered as "0 x 12".
std::vector<std::string> TextWriter::items(const RenderedArray& array, std::size_t indent) const {
  std::vector<std::string> result;
  for (std::size_t i = 0; i < array.elements.size();) {
    std::size_t end = i;
    while (end < array.elements.size() && is_zero(array.elements[end])) ++end;
    if (end - i >= kShortestZeroRun) {
      result.push_back("0 x " + std::to_string(end - i));
      i = end;
    } else {
      result.push_back(value(array.elements[i], indent + 1));
      ++i;
    }
  }
  if (array.elements.size() < array.len)
    result.push_back("... " + std::to_string(array.len - array.elements.size()) + " more");
  return result;
}

std::string TextWriter::text(const RenderedArray& kind, std::size_t indent) const {
  if (looks_like_text(kind)) {
    std::string bytes;
    for (const RenderedValue& element : kind.elements)
      bytes += static_cast<char>(element.get_if<RenderedUint>()
                                     ? element.get_if<RenderedUint>()->value
                                     : static_cast<std::uint64_t>(element.get_if<RenderedInt>()->value));
    return text(RenderedText{kind.len, std::move(bytes)}, indent);
  }
  if (!kind.elements.empty() && kind.elements.size() == kind.len &&
      std::ranges::all_of(kind.elements, is_zero))
    return "[all " + std::to_string(kind.len) + " zero]";
  const auto shown = items(kind, indent);
  const bool short_items = std::ranges::all_of(shown, [](const auto& item) { return item.size() <= 24; });
  return wrapped(shown, "[", "]", indent, short_items);
}

}  // namespace

std::string to_text(const RenderedValue& value, std::size_t indent) {
  return TextWriter().value(value, indent);
}

}  // namespace ktstr::introspect
