#include "engine/base/value.h"

#include <fmt/format.h>
#include <rapidjson/error/en.h>
#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>

#include <array>
#include <charconv>
#include <optional>

namespace ktstr {
namespace {

constexpr std::size_t kMaxDepth = 256;

template <class Integer>
std::optional<Integer> to_integer(std::string_view number) {
  Integer value = 0;
  const char* end = number.data() + number.size();
  const auto [last, error] = std::from_chars(number.data(), end, value);
  return error == std::errc() && last == end ? std::optional(value) : std::nullopt;
}

/// nullopt: too large. What is too small is 0. RapidJSON has checked the form, and refuses whole numbers that
/// are too large.
std::optional<double> to_double(std::string_view number) {
  double value = 0;
  const auto [last, error] = std::from_chars(number.data(), number.data() + number.size(), value);
  if (error == std::errc()) return value;
  const auto exponent = number.find_first_of("eE");
  const bool too_small = exponent == std::string_view::npos || number[exponent + 1] == '-';
  return too_small ? std::optional(0.0) : std::nullopt;
}

std::string shortest_text(double value) {
  std::array<char, 32> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
  return {text.data(), end};
}

/// RapidJSON's SAX events, built into a Value; containers under construction wait on a stack.
class ValueBuilder {
 public:
  ValueBuilder(const rapidjson::MemoryStream& text, const JsonLimits& limits)
      : text_(text), limits_(limits) {}

  bool Null() { return add(Value{}); }
  bool Bool(bool value) { return add(Value{value}); }
  bool Int(int value) { return add(Value{std::int64_t{value}}); }
  bool Uint(unsigned value) { return add(Value{std::int64_t{value}}); }
  bool Int64(std::int64_t value) { return add(Value{value}); }
  bool Uint64(std::uint64_t value) { return add(Value{value}); }
  bool Double(double value) { return add(Value{value}); }
  /// Of RapidJSON's own conversions, those of zeros with an exponent and of exponents near -2^31 are
  /// undefined (StrtodDiyFp() and ParseNumber() in 1.1).
  bool RawNumber(const char* text, rapidjson::SizeType size, bool) {
    const std::string_view number(text, size);
    if (const auto value = to_integer<std::int64_t>(number)) return add(Value{*value});
    if (const auto value = to_integer<std::uint64_t>(number)) return add(Value{*value});
    const auto value = to_double(number);
    return value ? add(Value{*value}) : refuse("a number too large");
  }
  bool String(const char* text, rapidjson::SizeType size, bool) {
    return fits(size) && add(Value{std::string(text, size)});
  }
  bool Key(const char* text, rapidjson::SizeType size, bool) {
    if (!fits(size)) return false;
    keys_.emplace_back(text, size);
    return true;
  }
  bool StartObject() { return open(Value{Value::Object{}}); }
  bool EndObject(rapidjson::SizeType) { return close(); }
  bool StartArray() { return open(Value{Value::List{}}); }
  bool EndArray(rapidjson::SizeType) { return close(); }

  Value root;
  std::string refusal;  ///< why a text that is well-formed so far is not taken

 private:
  bool refuse(std::string why) {
    refusal = std::move(why);
    return false;
  }
  bool fits(std::size_t string_bytes) {
    if (string_bytes <= limits_.string_bytes) return true;
    return refuse(
        fmt::format("a string of {} bytes, at most {} are taken", string_bytes, limits_.string_bytes));
  }
  /// The beginning of a text is let off the average.
  bool count() {
    constexpr std::size_t kFree = 1024;
    if (++values_ > limits_.values) return refuse("more than " + std::to_string(limits_.values) + " values");
    if (values_ > kFree && (values_ - kFree) * limits_.bytes_per_value > text_.Tell())
      return refuse("too many values for so short a text");
    return true;
  }

  bool open(Value container) {
    if (open_.size() >= kMaxDepth) return refuse("nested deeper than " + std::to_string(kMaxDepth));
    if (!count()) return false;
    open_.push_back(std::move(container));
    return true;
  }
  bool close() {
    Value done = std::move(open_.back());
    open_.pop_back();
    return put(std::move(done));
  }
  bool add(Value value) { return count() && put(std::move(value)); }
  bool put(Value value) {
    if (open_.empty()) {
      root = std::move(value);
    } else if (auto* list = std::get_if<Value::List>(&open_.back().data)) {
      list->push_back(std::move(value));
    } else {
      std::get<Value::Object>(open_.back().data).emplace_back(std::move(keys_.back()), std::move(value));
      keys_.pop_back();
    }
    return true;
  }

  const rapidjson::MemoryStream& text_;
  const JsonLimits& limits_;
  std::size_t values_ = 0;
  std::vector<Value> open_;
  std::vector<std::string> keys_;
};

}  // namespace

const Value* Value::find(std::string_view key) const {
  if (const auto* object = get_if<Object>())
    for (const auto& [name, value] : *object)
      if (name == key) return &value;
  return nullptr;
}

std::string_view Value::kind_name() const {
  static constexpr std::string_view kNames[] = {"nothing",        "a boolean", "a whole number",
                                                "a whole number", "a number",  "a string",
                                                "a list",         "a table",   "a function"};
  return kNames[data.index()];
}

std::string Value::kind_and_value() const {
  constexpr std::size_t kLongestShown = 40;
  std::string shown;
  if (const auto* flag = get_if<bool>()) shown = *flag ? "true" : "false";
  if (const auto* number = get_if<std::int64_t>()) shown = std::to_string(*number);
  if (const auto* number = get_if<std::uint64_t>()) shown = std::to_string(*number);
  if (const auto* number = get_if<double>()) shown = shortest_text(*number);
  if (const auto* text = get_if<std::string>())
    shown =
        text->size() <= kLongestShown ? '"' + *text + '"' : '"' + text->substr(0, kLongestShown) + "...\"";
  return shown.empty() ? std::string(kind_name()) : std::string(kind_name()) + " (" + shown + ")";
}

Result<Value> parse_json(std::string_view text, const JsonLimits& limits) {
  rapidjson::MemoryStream stream(text.data(), text.size());
  ValueBuilder builder(stream, limits);
  rapidjson::Reader reader;
  constexpr unsigned kFlags = rapidjson::kParseIterativeFlag | rapidjson::kParseValidateEncodingFlag |
                              rapidjson::kParseNumbersAsStringsFlag | rapidjson::kParseNanAndInfFlag;
  const auto outcome = reader.Parse<kFlags>(stream, builder);
  if (outcome.IsError())
    return corrupted(
        "JSON, byte " + std::to_string(outcome.Offset()) + ": " +
        (builder.refusal.empty() ? rapidjson::GetParseError_En(outcome.Code()) : builder.refusal));
  return std::move(builder.root);
}

}  // namespace ktstr
