// RenderedValue: a piece of guest memory seen through its BTF type, as a tree of plain data.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace ktstr::introspect {

struct RenderedValue;
struct RenderedMember;
struct RenderedTarget;

/// A T on the heap that copies and compares like a value. Empty when default-made or moved from.
template <class T>
class Boxed {
 public:
  Boxed() = default;
  explicit Boxed(T value) : value_(std::make_unique<T>(std::move(value))) {}
  Boxed(const Boxed& other) : value_(other ? std::make_unique<T>(*other) : nullptr) {}
  Boxed(Boxed&&) noexcept = default;
  Boxed& operator=(const Boxed& other) { return *this = Boxed(other); }
  Boxed& operator=(Boxed&&) noexcept = default;
  ~Boxed() = default;

  explicit operator bool() const { return value_ != nullptr; }
  const T& operator*() const { return *value_; }
  const T* operator->() const { return value_.get(); }
  T& operator*() { return *value_; }
  T* operator->() { return value_.get(); }
  friend bool operator==(const Boxed& a, const Boxed& b) { return !a == !b && (!a || *a == *b); }

 private:
  std::unique_ptr<T> value_;
};

/// A signed integer of `bits` bits; sign-extended.
struct RenderedInt {
  std::uint32_t bits = 0;
  std::int64_t value = 0;
  friend bool operator==(const RenderedInt&, const RenderedInt&) = default;
};
/// An unsigned integer, zero-extended.
struct RenderedUint {
  std::uint32_t bits = 0;
  std::uint64_t value = 0;
  friend bool operator==(const RenderedUint&, const RenderedUint&) = default;
};
/// A bool whose byte is 0 or 1; any other byte is shown as a RenderedUint of 8 bits.
struct RenderedBool {
  bool value = false;
  friend bool operator==(const RenderedBool&, const RenderedBool&) = default;
};
/// One `char`, its byte as it is.
struct RenderedChar {
  std::uint8_t value = 0;
  friend bool operator==(const RenderedChar&, const RenderedChar&) = default;
};
/// A float, double or _Float16 (exact as a double).
struct RenderedFloat {
  std::uint32_t bits = 0;
  double value = 0;
  /// Two that are not numbers are the same.
  friend bool operator==(const RenderedFloat& a, const RenderedFloat& b) {
    return a.bits == b.bits && (a.value == b.value || (a.value != a.value && b.value != b.value));
  }
};
/// An enum of any width. `value` holds the bit pattern, sign-extended only when `is_signed`.
struct RenderedEnum {
  std::uint32_t bits = 0;
  std::int64_t value = 0;
  std::optional<std::string> variant;  ///< the enumerator, or "A|B" for a sum of flags; absent: unknown value
  bool is_signed = false;
  friend bool operator==(const RenderedEnum&, const RenderedEnum&) = default;
};
/// A struct, a union (each member from the same bytes) or a datasec (members are variables).
struct RenderedStruct {
  std::optional<std::string> type_name;
  std::vector<RenderedMember> members;
  friend bool operator==(const RenderedStruct&, const RenderedStruct&) = default;
};
/// An array of `len` elements of which the first elements.size() are shown.
struct RenderedArray {
  std::uint64_t len = 0;
  std::vector<RenderedValue> elements;
  friend bool operator==(const RenderedArray&, const RenderedArray&) = default;
};
/// An array of char: `len` of them, of which `bytes` (never empty) are shown, NULs and what follows them
/// included. In JSON it is an array of char like any other.
struct RenderedText {
  std::uint64_t len = 0;
  std::string bytes;

  /// Up to the first NUL.
  [[nodiscard]] std::string_view c_string() const {
    return std::string_view(bytes).substr(0, bytes.find('\0'));
  }

  friend bool operator==(const RenderedText&, const RenderedText&) = default;
};
/// A CPU mask as ranges: "0-2,5"; "" when no CPU is in it.
struct RenderedCpuList {
  std::string cpus;
  friend bool operator==(const RenderedCpuList&, const RenderedCpuList&) = default;
};
/// A pointer. `target` is empty when there is nothing to say about where it points.
struct RenderedPtr {
  std::uint64_t value = 0;
  Boxed<RenderedTarget> target;
  friend bool operator==(const RenderedPtr&, const RenderedPtr&) = default;
};
/// Bytes without a type that could show them: lowercase hex pairs with a space between.
struct RenderedBytes {
  std::string hex;
  friend bool operator==(const RenderedBytes&, const RenderedBytes&) = default;
};
/// `had` bytes were there of `needed`; `partial` is what could be made of them.
struct RenderedTruncated {
  std::uint64_t needed = 0;
  std::uint64_t had = 0;
  Boxed<RenderedValue> partial;
  friend bool operator==(const RenderedTruncated&, const RenderedTruncated&) = default;
};
/// A type that can't be shown, or a limit reached.
struct RenderedUnsupported {
  std::string reason;
  friend bool operator==(const RenderedUnsupported&, const RenderedUnsupported&) = default;
};

/// One rendered value. The alternatives are the kinds of the JSON form, where "kind" names the alternative
/// ("int", "uint", "bool", "char", "float", "enum", "struct", "array", "cpu_list", "ptr", "bytes",
/// "truncated", "unsupported"); a RenderedText is written as an "array". Plain data: copy, compare and
/// move freely.
struct RenderedValue {
  using Data = std::variant<RenderedUnsupported, RenderedInt, RenderedUint, RenderedBool, RenderedChar,
                            RenderedFloat, RenderedEnum, RenderedStruct, RenderedArray, RenderedText,
                            RenderedCpuList, RenderedPtr, RenderedBytes, RenderedTruncated>;
  Data data;

  template <class T>
  [[nodiscard]] const T* get_if() const {
    return std::get_if<T>(&data);
  }

  /// The member called `name` of a struct, seen through pointers that were followed and through truncation.
  /// Members of anonymous structs and unions count as the outer's own. nullptr: no such member.
  [[nodiscard]] const RenderedValue* member(std::string_view name) const;
  /// "a.b.c": member() for each part; "" is the value itself.
  [[nodiscard]] const RenderedValue* get(std::string_view path) const;
  /// The array element, likewise seen through pointers and truncation. A text has none: see text().
  [[nodiscard]] const RenderedValue* index(std::size_t position) const;

  /// An integer, bool, char, enum or pointer as a number; nullopt for anything else and where the number has
  /// no such form (a negative one as unsigned).
  [[nodiscard]] std::optional<std::uint64_t> as_u64() const;
  [[nodiscard]] std::optional<std::int64_t> as_i64() const;
  /// A text, or an array of 8-bit integers, up to the first NUL.
  [[nodiscard]] std::optional<std::string> text() const;

  friend bool operator==(const RenderedValue&, const RenderedValue&) = default;
};

/// A member of a struct or a variable of a datasec; "" for an anonymous one.
struct RenderedMember {
  std::string name;
  RenderedValue value;
  friend bool operator==(const RenderedMember&, const RenderedMember&) = default;
};

/// What is known of where a pointer points.
struct RenderedTarget {
  std::optional<RenderedValue> deref;               ///< the object there
  std::optional<std::string> deref_skipped_reason;  ///< why following it was tried and failed
  std::optional<std::string> cast_annotation;       ///< how the pointee's type was found, if not declared
  std::optional<std::string> symbol;                ///< "schedule+0x1c"
  friend bool operator==(const RenderedTarget&, const RenderedTarget&) = default;
};

/// For people: structs that fit on a line as `task_ctx{weight=1024, cpus=0-3}`, longer ones one member a
/// line, zero runs of arrays collapsed, texts quoted. `indent` is the number of two-space steps that lines
/// after the first begin with. No newline at the end.
[[nodiscard]] std::string to_text(const RenderedValue& value, std::size_t indent = 0);

/// Lowercase hex pairs with a space between.
[[nodiscard]] std::string hex_dump(std::span<const std::byte> bytes);

}  // namespace ktstr::introspect
