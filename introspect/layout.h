// Kernel structure layouts: each field named once, its place found in the running kernel's BTF.
#pragma once

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "engine/base/address.h"
#include "engine/base/check.h"
#include "engine/base/result.h"
#include "introspect/btf.h"
#include "introspect/memory.h"

namespace ktstr::introspect {

/// Names in order of preference: those of the newest kernels first. The texts must be literals.
using Alternatives = std::initializer_list<std::string_view>;

class FieldBase;

/// A structure's name, as a template argument.
template <std::size_t N>
struct StructName {
  char text[N];

  consteval StructName(const char (&name)[N]) { std::copy_n(name, N, text); }
  [[nodiscard]] constexpr std::string_view view() const { return {text, N - 1}; }
};

/// The layout of one kernel structure. Derive from it, through LayoutOf where it has had one name only, and
/// declare fields as members that name it as their owner:
///
///   struct RqLayout : LayoutOf<"rq"> {
///     Field<std::uint32_t> nr_running{*this, {"nr_running"}};
///     OptionalField<std::uint64_t> run_delay{*this, {"rq_sched_info.run_delay"}};  // CONFIG_SCHED_INFO
///   };
///
/// Freely copyable, resolved or not: a layout knows its fields by their distance from itself. Const use is
/// thread-safe.
class StructLayout {
 public:
  /// Finds the structure and all its fields, forgetting what an earlier call found. One error names
  /// everything that is missing or has another size than declared: "struct rq: no member nr_running (tried
  /// nr_running, nr)". On an error nothing is resolved.
  [[nodiscard]] Status resolve(const Btf& btf);

  [[nodiscard]] bool is_resolved() const { return type_ != BtfTypeId{}; }
  /// The name under which the structure was found; before that, the preferred one.
  [[nodiscard]] std::string_view name() const { return name_; }
  /// The BTF type. Precondition of this and all below: resolved.
  [[nodiscard]] BtfTypeId type() const { return type_; }
  /// sizeof the structure in bytes.
  [[nodiscard]] std::uint64_t size() const { return size_; }
  /// The bytes from the first to the last resolved field: [begin, end) from the structure's start.
  [[nodiscard]] std::uint64_t fields_begin() const { return fields_begin_; }
  [[nodiscard]] std::uint64_t fields_end() const { return fields_end_; }
  /// Why optional fields are absent, one sentence each.
  [[nodiscard]] const std::vector<std::string>& absences() const { return absences_; }

 protected:
  explicit StructLayout(Alternatives names);
  StructLayout(const StructLayout&) = default;
  StructLayout& operator=(const StructLayout&) = default;
  ~StructLayout() = default;

 private:
  friend class FieldBase;
  void add(const FieldBase& field);
  [[nodiscard]] FieldBase& field_at(std::ptrdiff_t distance);
  void forget();
  [[nodiscard]] Status resolve_fields(const Btf& btf);
  void include_in_extent(const FieldBase& field);

  std::vector<std::string_view> names_;
  std::vector<std::ptrdiff_t> fields_;  ///< distances in bytes from this object
  std::string_view name_;
  BtfTypeId type_{};
  std::uint64_t size_ = 0;
  std::uint64_t fields_begin_ = 0;
  std::uint64_t fields_end_ = 0;
  std::vector<std::string> absences_;
};

template <StructName kName>
struct LayoutOf : StructLayout {
  LayoutOf() : StructLayout({kName.view()}) {}
};

/// What all kinds of field share: names, and the place once it is found.
class FieldBase {
 public:
  /// Whether the kernel has it. Always true of a required field of a resolved layout.
  [[nodiscard]] bool present() const { return present_; }
  /// Bytes from the structure's start. Precondition: present().
  [[nodiscard]] std::uint64_t offset() const { return offset_; }
  /// Bytes of the member as the kernel declares it. Precondition: present().
  [[nodiscard]] std::uint64_t size() const { return size_; }
  /// The member's declared BTF type. Precondition: present().
  [[nodiscard]] BtfTypeId type() const { return type_; }
  /// Where the member is in the structure at `base`. Precondition: present().
  [[nodiscard]] KernelVirt address(KernelVirt base) const { return base + offset_; }

 protected:
  enum class Need : bool { kRequired, kOptional };

  /// `expected_size` 0: any size will do. Precondition: this is a member of the object that `owner` is the
  /// base of.
  FieldBase(StructLayout& owner, Alternatives paths, Need need, std::uint64_t expected_size) {
    declare(owner, {paths.begin(), paths.end()}, need, expected_size);
  }
  /// One that is never present, unless it is declared.
  FieldBase() = default;
  void declare(StructLayout& owner, std::vector<std::string_view> paths, Need need,
               std::uint64_t expected_size);
  FieldBase(const FieldBase&) = default;
  FieldBase& operator=(const FieldBase&) = default;
  ~FieldBase() = default;

  /// A bitfield's value out of that of its declared type; any other's is as it is.
  template <class T>
  [[nodiscard]] T extract(T value) const {
    if constexpr (std::is_integral_v<T>) {
      if (bit_width_ != 0) {
        const auto bits = static_cast<std::make_unsigned_t<T>>(value) >> bit_shift_;
        return static_cast<T>(bits & ((std::uint64_t{1} << bit_width_) - 1));
      }
    }
    return value;
  }

 private:
  std::uint8_t bit_shift_ = 0;  ///< of a bitfield, within the declared type
  std::uint8_t bit_width_ = 0;  ///< of a bitfield; 0 otherwise

  friend class StructLayout;
  void forget();
  /// Sets the place, or says why there is none.
  [[nodiscard]] std::optional<std::string> resolve(const Btf& btf, const StructLayout& owner);
  [[nodiscard]] std::optional<std::string> place(const BtfMember& member, std::string_view path,
                                                 std::uint64_t owner_size);

  std::vector<std::string_view> paths_;
  std::uint64_t expected_size_ = 0;
  std::uint64_t offset_ = 0;
  std::uint64_t size_ = 0;
  BtfTypeId type_{};
  Need need_ = Need::kOptional;
  bool present_ = false;
};

class StructBytes;

/// A field with a value of type T: an integer (bitfields too: zero-extended), enum, KernelVirt (for
/// pointers), or a std::array of such.
template <class T>
class ValueField : public FieldBase {
  static_assert(std::is_trivially_copyable_v<T> && !std::is_same_v<T, bool>,
                "a guest's bytes: integers, addresses, arrays");

 public:
  using Value = T;

  /// The value in the structure at `base`; nullopt when the kernel lacks the field or the memory can't be
  /// read.
  template <KernelReader Memory>
  [[nodiscard]] std::optional<T> read(const Memory& memory, KernelVirt base) const {
    T value;
    if (!present() || !memory.read_bytes(address(base), std::as_writable_bytes(std::span(&value, 1))))
      return std::nullopt;
    return extract(value);
  }

  /// The value out of bytes already copied; nullopt when the kernel lacks the field or the bytes do not reach
  /// that far.
  [[nodiscard]] std::optional<T> read(const StructBytes& bytes) const;

 protected:
  ValueField(StructLayout& owner, Alternatives paths, Need need) : FieldBase(owner, paths, need, sizeof(T)) {}
};

/// A field without which the layout can't be resolved.
template <class T>
class Field : public ValueField<T> {
 public:
  Field(StructLayout& owner, Alternatives paths) : ValueField<T>(owner, paths, FieldBase::Need::kRequired) {}

  /// The value. Precondition: `bytes` were captured with this field's layout, and successfully; then they
  /// hold every required field, whatever the guest wrote.
  [[nodiscard]] T of(const StructBytes& bytes) const {
    const auto value = this->read(bytes);
    KTSTR_CHECK(value.has_value());
    return *value;
  }
};

/// A field that a kernel may lack.
template <class T>
class OptionalField : public ValueField<T> {
 public:
  OptionalField(StructLayout& owner, Alternatives paths)
      : ValueField<T>(owner, paths, FieldBase::Need::kOptional) {}
};

/// A structure or array inside another, of whatever size: for its address, or for another layout to read.
class Embedded : public FieldBase {
 public:
  Embedded(StructLayout& owner, Alternatives paths) : FieldBase(owner, paths, Need::kRequired, 0) {}
};

/// An embedded structure or array that a kernel may lack.
class OptionalEmbedded : public FieldBase {
 public:
  OptionalEmbedded(StructLayout& owner, Alternatives paths) : FieldBase(owner, paths, Need::kOptional, 0) {}
};

/// A copy of the part of one structure that a layout's fields cover: one memory read, then any number of
/// fields out of it. Keep one and capture again and again: its buffer is reused. All fields of one capture
/// are of (nearly) one instant.
class StructBytes {
 public:
  /// Copies the fields of the structure at `base`. False when any byte of them can't be read. Precondition:
  /// layout resolved.
  template <KernelReader Memory>
  [[nodiscard]] bool capture(const Memory& memory, const StructLayout& layout, KernelVirt base) {
    begin_ = layout.fields_begin();
    bytes_.resize(layout.fields_end() - begin_);
    return memory.read_bytes(base + begin_, bytes_);
  }

  /// `length` bytes at `offset` from the structure's start; empty when they were not captured.
  [[nodiscard]] std::span<const std::byte> at(std::uint64_t offset, std::uint64_t length) const {
    if (offset < begin_ || offset - begin_ > bytes_.size() || length > bytes_.size() - (offset - begin_))
      return {};
    return std::span(bytes_).subspan(offset - begin_, length);
  }

 private:
  std::uint64_t begin_ = 0;
  std::vector<std::byte> bytes_;
};

template <class T>
std::optional<T> ValueField<T>::read(const StructBytes& bytes) const {
  if (!present()) return std::nullopt;
  const auto source = bytes.at(offset(), sizeof(T));
  if (source.empty()) return std::nullopt;
  T value;
  std::memcpy(&value, source.data(), sizeof(T));
  return this->extract(value);
}

/// Element `index` of an array of T that was read as bytes. Precondition: the array holds it.
template <class T>
[[nodiscard]] T element(std::span<const std::byte> array, std::size_t index) {
  T value;
  std::memcpy(&value, array.data() + index * sizeof(T), sizeof(T));
  return value;
}

/// A resolved layout, or why this kernel has none: the capability that needs it is then off, for that reason.
template <std::derived_from<StructLayout> Layout>
[[nodiscard]] Result<Layout> resolve_layout(const Btf& btf) {
  Layout layout;
  KTSTR_TRY(layout.resolve(btf));
  return layout;
}

/// The same of a layout that some kernels lack.
template <std::derived_from<StructLayout> Layout>
[[nodiscard]] std::optional<Layout> resolve_optional(const Btf& btf) {
  auto layout = resolve_layout<Layout>(btf);
  return layout ? std::optional(*std::move(layout)) : std::nullopt;
}

/// Resolves several layouts; one error names what is missing from all of them.
[[nodiscard]] Status resolve_all(const Btf& btf, std::initializer_list<StructLayout*> layouts);

}  // namespace ktstr::introspect
