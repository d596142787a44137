// Reader: fills a described record from the kernel's memory, by what stands behind its members' descriptions.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "engine/base/check.h"
#include "engine/base/describe.h"
#include "introspect/layout.h"

namespace ktstr::introspect {

namespace detail {

template <class T>
T inside(const T*);
template <class T>
T inside(const std::optional<T>*);
/// What an optional holds; any other type itself.
template <class M>
using Inside = decltype(inside(static_cast<const M*>(nullptr)));
template <class M>
inline constexpr bool may_be_absent = !std::is_same_v<M, Inside<M>>;
template <class Owner, class M>
M type_of(M Owner::*);

/// A record with members to be read, which are from the same structure as its owner's.
template <class T>
consteval bool has_origins() {
  bool found = false;
  if constexpr (DescribedRecord<T>)
    for_each_field<T>([&]<class M>(const FieldDescription<T, M>& field) {
      found = found || !field.origin.structure.empty() || has_origins<Inside<M>>();
    });
  return found;
}
template <class M>
inline constexpr bool is_group = has_origins<Inside<M>>();

/// Calls visit(field) for each member of T and of the groups in it, until one call gives true.
template <class T, class Visitor>
constexpr bool find_member(Visitor& visit) {
  bool found = false;
  for_each_field<T>([&]<class M>(const FieldDescription<T, M>& field) {
    if (found) return;
    if constexpr (is_group<M>)
      found = find_member<Inside<M>>(visit);
    else
      found = visit(field);
  });
  return found;
}
template <class T>
consteval std::size_t count_members() {
  std::size_t count = 0;
  auto visit = [&](const auto&) {
    ++count;
    return false;
  };
  find_member<T>(visit);
  return count;
}
template <class T, auto Member>
consteval std::size_t member_index() {
  std::size_t index = 0;
  auto visit = [&](const auto& field) {
    if constexpr (std::is_same_v<decltype(field.member), std::remove_const_t<decltype(Member)>>)
      if (field.member == Member) return true;
    ++index;
    return false;
  };
  if (!find_member<T>(visit)) throw "not a member that is read";
  return index;
}

/// The place of one member: declared if it is to be read from the structure, present if the kernel has it.
class RecordField : public FieldBase {
 public:
  RecordField() = default;

  /// A bool can be made of an integer of any size, a string of an array of characters; anything else has the
  /// kernel's size.
  template <class V>
  void declare(StructLayout& owner, const Origin& origin, bool required) {
    origin_ = &origin;
    constexpr bool kAnySize = std::is_same_v<V, bool> || std::is_same_v<V, std::string>;
    FieldBase::declare(owner, {origin.paths.begin(), std::ranges::find(origin.paths, std::string_view())},
                       required ? Need::kRequired : Need::kOptional, kAnySize ? 0 : sizeof(V));
  }
  [[nodiscard]] bool is_declared() const { return origin_ != nullptr; }
  [[nodiscard]] const Origin& origin() const { return *origin_; }

  /// Makes the value of the member's bytes. Precondition: present().
  template <class V>
  void make(std::span<const std::byte> bytes, V& value) const {
    if constexpr (std::is_same_v<V, std::string>) {
      value = text_of(bytes);
    } else if constexpr (std::is_same_v<V, bool>) {
      std::uint64_t word = 0;
      const auto used = bytes.first(std::min(bytes.size(), sizeof(word)));
      std::ranges::copy(used, std::as_writable_bytes(std::span(&word, 1)).begin());
      value = extract(word) != 0;
    } else {
      std::memcpy(&value, bytes.data(), sizeof(V));
      value = extract(value);
    }
  }

 private:
  [[nodiscard]] static std::string text_of(std::span<const std::byte> bytes);

  const Origin* origin_ = nullptr;  ///< in the record's description, which lives as long as the program
};

[[nodiscard]] std::string lacking(const StructLayout& layout, std::span<const RecordField> fields,
                                  std::string_view config);

}  // namespace detail

/// The layout of one kernel structure, with a field for each member of the described record T, and of the
/// records in it, that is said to be `.from()` it. A member that is an optional, or in one, may be missing in
/// the kernel; all others must be there. A record that is gathered from several structures has a Reader for
/// each. Derive from it to have other fields in the same memory read.
///
///   struct RqLayout : Reader<CpuSnapshot, "rq"> {   // field<&T::nr_running>("runnable tasks").from("rq")
///     OptionalField<KernelVirt> sd{*this, {"sd"}};
///   };
///   if (bytes.capture(kernel, rq, base)) rq.fill(bytes, snapshot);
template <DescribedRecord T, StructName kStruct>
class Reader : public LayoutOf<kStruct> {
 public:
  Reader() {
    std::size_t next = 0;
    declare<T>(true, next);
  }

  /// Fills the members that are from this structure; what the kernel lacks stays as it is. An optional record
  /// is there when all that it must have is. Precondition: `bytes` were captured with this layout, and
  /// successfully.
  void fill(const StructBytes& bytes, T& record) const {
    std::size_t next = 0;
    KTSTR_CHECK(fill_record(bytes, record, next).whole);
  }

  /// One member's value out of the structure at `base`; nullopt when the kernel lacks it or the memory can't
  /// be read.
  template <auto Member, KernelReader Memory>
  [[nodiscard]] auto read(const Memory& memory, KernelVirt base) const {
    std::optional<detail::Inside<decltype(detail::type_of(Member))>> value;
    std::array<std::byte, 256> buffer;
    const auto& field = place<Member>();
    if (!field.present() || field.size() > buffer.size()) return value;
    const auto bytes = std::span(buffer).first(field.size());
    if (memory.read_bytes(field.address(base), bytes)) field.make(bytes, value.emplace());
    return value;
  }

  /// Where one member is, of T or of a record in it.
  template <auto Member>
  [[nodiscard]] const detail::RecordField& place() const {
    return fields_[detail::member_index<T, Member>()];
  }

  /// "struct rq: no scx.flags, scx.nr_running (CONFIG_SCHED_CLASS_EXT)": the members that need `config` and
  /// are missing; empty when all are there. Precondition: resolved.
  [[nodiscard]] std::string lacking(std::string_view config) const {
    return detail::lacking(*this, fields_, config);
  }

 private:
  struct Filled {
    bool any = false;   ///< at least one member
    bool whole = true;  ///< all that must be there

    void add(Filled other) {
      any = any || other.any;
      whole = whole && other.whole;
    }
  };

  template <class Record>
  void declare(bool required, std::size_t& next) {
    for_each_field<Record>([&]<class M>(const FieldDescription<Record, M>& field) {
      using V = detail::Inside<M>;
      const bool needed = required && !detail::may_be_absent<M>;
      if constexpr (detail::is_group<M>) {
        declare<V>(needed, next);
      } else {
        auto& place = fields_[next++];
        if constexpr (!std::is_trivially_copyable_v<V> && !std::is_same_v<V, std::string>)
          KTSTR_CHECK(field.origin.structure.empty());
        else if (field.origin.structure == kStruct.view())
          place.template declare<V>(*this, field.origin, needed);
      }
    });
  }

  template <class Record>
  Filled fill_record(const StructBytes& bytes, Record& record, std::size_t& next) const {
    Filled filled;
    for_each_field<Record>([&]<class M>(const FieldDescription<Record, M>& field) {
      if constexpr (detail::is_group<M>)
        filled.add(fill_group(bytes, record.*field.member, next));
      else
        filled.add(fill_member(bytes, fields_[next++], record.*field.member));
    });
    return filled;
  }

  template <class M>
  Filled fill_group(const StructBytes& bytes, M& member, std::size_t& next) const {
    if constexpr (!detail::may_be_absent<M>) {
      return fill_record(bytes, member, next);
    } else {
      const bool was_there = member.has_value();
      const Filled filled = fill_record(bytes, was_there ? *member : member.emplace(), next);
      const bool is_there = filled.any && filled.whole;
      if (!was_there && !is_there) member.reset();
      return {.any = is_there};
    }
  }

  template <class M>
  static Filled fill_member(const StructBytes& bytes, const detail::RecordField& place, M& member) {
    using V = detail::Inside<M>;
    if constexpr (std::is_trivially_copyable_v<V> || std::is_same_v<V, std::string>) {
      if (place.present()) {
        const auto source = bytes.at(place.offset(), place.size());
        KTSTR_CHECK(source.size() == place.size());
        if constexpr (detail::may_be_absent<M>)
          place.make(source, member.emplace());
        else
          place.make(source, member);
        return {.any = true};
      }
    }
    return {.any = false, .whole = detail::may_be_absent<M> || !place.is_declared()};
  }

  std::array<detail::RecordField, detail::count_members<T>()> fields_;
};

}  // namespace ktstr::introspect
