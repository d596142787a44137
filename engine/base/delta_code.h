// Described values as their differences from the values before them, in few bytes.
#pragma once

#include <array>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "engine/base/check.h"
#include "engine/base/describe.h"

namespace ktstr {

/// What the differences of a T are taken from: the number, text or element that stood in each place last.
/// What was absent meanwhile, or beyond a shorter list's end, is still there.
template <class T>
struct Remembered {
  std::uint64_t bits = 0;
};

template <>
struct Remembered<std::string> {
  std::string text;
};
template <class T>
struct Remembered<std::optional<T>> {
  Remembered<bool> present;
  Remembered<T> value;
};
template <class T>
struct Remembered<std::vector<T>> {
  Remembered<std::uint64_t> size;
  std::vector<Remembered<T>> items;
};
template <class T, std::size_t N>
struct Remembered<std::array<T, N>> {
  std::array<Remembered<T>, N> items;
};

namespace detail {
template <class Description>
struct RememberedFields;
template <class Owner, class... Members>
struct RememberedFields<RecordDescription<Owner, Members...>> {
  std::tuple<Remembered<Members>...> fields;
};
}  // namespace detail

template <DescribedRecord T>
struct Remembered<T> : detail::RememberedFields<std::remove_cvref_t<decltype(describe<T>)>> {};

/// Appends values to bytes. What did not change costs only a count now and then: each difference stands
/// behind the number of places that did not change since the one before.
class DeltaWriter {
 public:
  static constexpr bool kReads = false;

  explicit DeltaWriter(std::vector<std::byte>& out) : out_(out) {}

  /// Gives `now`.
  std::uint64_t number(std::uint64_t now, std::uint64_t& last) {
    if (is_unchanged(now, last)) return now;
    end();
    // The signs of differences go to the lowest bit: small ones take few bytes, whichever way they go.
    const auto difference = static_cast<std::int64_t>(now - last);
    put((static_cast<std::uint64_t>(difference) << 1) ^ static_cast<std::uint64_t>(difference >> 63));
    return last = now;
  }
  void text(const std::string& now, std::string& last) {
    if (is_unchanged(now, last)) return;
    end();
    put(now.size());
    const auto bytes = std::as_bytes(std::span(now));
    out_.insert(out_.end(), bytes.begin(), bytes.end());
    last = now;
  }
  /// To be called behind the last value: what is read may not begin in the middle of a count.
  void end() { put(std::exchange(unchanged_, 0)); }

 private:
  template <class T>
  bool is_unchanged(const T& now, const T& last) {
    if (now != last) return false;
    ++unchanged_;
    return true;
  }
  /// Seven bits a byte, the lowest first; the eighth says that more follow.
  void put(std::uint64_t number) {
    for (; number >= 0x80; number >>= 7) out_.push_back(static_cast<std::byte>(number | 0x80));
    out_.push_back(static_cast<std::byte>(number));
  }

  std::vector<std::byte>& out_;
  std::uint64_t unchanged_ = 0;
};

/// Reads what a DeltaWriter wrote, in the same order and with memories that began alike. Only for bytes of
/// this process: others end it.
class DeltaReader {
 public:
  static constexpr bool kReads = true;

  explicit DeltaReader(std::span<const std::byte> bytes) : rest_(bytes) { unchanged_ = take(); }

  std::uint64_t number(std::uint64_t& last) {
    if (is_unchanged()) return last;
    const auto zigzag = take();
    unchanged_ = take();
    return last += (zigzag >> 1) ^ (~(zigzag & 1) + 1);
  }
  const std::string& text(std::string& last) {
    if (is_unchanged()) return last;
    const auto size = take();
    KTSTR_CHECK(size <= rest_.size());
    last.resize(size);
    if (size > 0) std::memcpy(last.data(), rest_.data(), size);
    rest_ = rest_.subspan(size);
    unchanged_ = take();
    return last;
  }
  /// What stands behind the last value.
  [[nodiscard]] std::span<const std::byte> rest() const { return rest_; }

 private:
  bool is_unchanged() {
    if (unchanged_ == 0) return false;
    --unchanged_;
    return true;
  }
  std::uint64_t take() {
    std::uint64_t number = 0;
    for (unsigned shift = 0;; shift += 7) {
      KTSTR_CHECK(!rest_.empty() && shift < 64);
      const auto byte = std::to_integer<std::uint64_t>(rest_.front());
      rest_ = rest_.subspan(1);
      number |= (byte & 0x7f) << shift;
      if (byte < 0x80) return number;
    }
  }

  std::span<const std::byte> rest_;
  std::uint64_t unchanged_ = 0;
};

namespace detail {

template <class T>
concept DeltaNumber = std::integral<T> || std::is_enum_v<T> || std::same_as<T, double>;

template <DeltaNumber T>
std::uint64_t to_bits(T value) {
  if constexpr (std::same_as<T, double>)
    return std::bit_cast<std::uint64_t>(value);
  else
    return static_cast<std::uint64_t>(value);
}
template <DeltaNumber T>
T from_bits(std::uint64_t bits) {
  if constexpr (std::same_as<T, double>)
    return std::bit_cast<double>(bits);
  else
    return static_cast<T>(bits);
}

template <class Coder, class T>
void delta_code(Coder& coder, T& value, Remembered<std::remove_const_t<T>>& last);

template <class Coder, class T>
std::uint64_t delta_code_number(Coder& coder, T value, std::uint64_t& last) {
  if constexpr (Coder::kReads)
    return coder.number(last);
  else
    return coder.number(to_bits(value), last);
}

template <std::size_t Index, class Field>
constexpr const Field& field_at(const FieldSlot<Index, Field>& slot) {
  return slot.field;
}

template <class Coder, class Record, std::size_t... Indices>
void delta_code_fields(Coder& coder, Record& record, Remembered<std::remove_const_t<Record>>& last,
                       std::index_sequence<Indices...>) {
  constexpr const auto& fields = describe<std::remove_const_t<Record>>.fields;
  (delta_code(coder, record.*field_at<Indices>(fields).member, std::get<Indices>(last.fields)), ...);
}

/// Reads into `value`, or writes it, as the coder does.
template <class Coder, class T>
void delta_code(Coder& coder, T& value, Remembered<std::remove_const_t<T>>& last) {
  using Plain = std::remove_const_t<T>;
  if constexpr (DeltaNumber<Plain>) {
    const auto bits = delta_code_number(coder, value, last.bits);
    if constexpr (Coder::kReads) value = from_bits<Plain>(bits);
  } else if constexpr (std::same_as<Plain, std::string>) {
    if constexpr (Coder::kReads)
      value = coder.text(last.text);
    else
      coder.text(value, last.text);
  } else if constexpr (DescribedRecord<Plain>) {
    delta_code_fields(coder, value, last, std::make_index_sequence<describe<Plain>.kFieldCount>());
  } else if constexpr (requires { value.has_value(); }) {
    const bool present = delta_code_number(coder, value.has_value(), last.present.bits) != 0;
    if constexpr (Coder::kReads) {
      if (!present) return value.reset();
      if (!value) value.emplace();
    }
    if (present) delta_code(coder, *value, last.value);
  } else {
    if constexpr (requires { last.size; }) {
      const auto size = delta_code_number(coder, value.size(), last.size.bits);
      if constexpr (Coder::kReads) value.resize(size);
      if (last.items.size() < size) last.items.resize(size);
    }
    for (std::size_t i = 0; i < value.size(); ++i) delta_code(coder, value[i], last.items[i]);
  }
}

}  // namespace detail

/// Appends `value` to `out`, and remembers it.
template <DescribedRecord T>
void write_delta(const T& value, Remembered<T>& last, std::vector<std::byte>& out) {
  DeltaWriter writer(out);
  detail::delta_code(writer, value, last);
  writer.end();
}

/// Fills `value` from the beginning of `bytes`, and remembers it; returns the bytes behind it. `last` must
/// have seen what the writer's had seen.
template <DescribedRecord T>
[[nodiscard]] std::span<const std::byte> read_delta(std::span<const std::byte> bytes, Remembered<T>& last,
                                                    T& value) {
  DeltaReader reader(bytes);
  detail::delta_code(reader, value, last);
  return reader.rest();
}

}  // namespace ktstr
