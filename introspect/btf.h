// Btf: a kernel's type information (Documentation/bpf/btf.rst), for finding where a structure's members lie.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "engine/base/result.h"

struct btf;
struct btf_type;

namespace ktstr::introspect {

/// A type's number within one Btf. 0 is void.
enum class BtfTypeId : std::uint32_t {};

/// Where a member lies in the structure that a path was resolved in.
struct BtfMember {
  BtfTypeId type{};                 ///< as declared, typedefs and qualifiers included
  std::uint64_t bit_offset = 0;     ///< from the start of the outermost structure
  std::uint64_t size_bytes = 0;     ///< of the declared type; 0 for a flexible array
  std::uint32_t bitfield_bits = 0;  ///< width of a bitfield, 0 for an ordinary member

  [[nodiscard]] std::uint64_t byte_offset() const { return bit_offset / 8; }
};

/// A direct member of a structure, with its name ("" when anonymous).
struct BtfNamedMember {
  std::string_view name;
  BtfMember member;
};

struct BtfEnumerator {
  std::string_view name;
  std::int64_t value = 0;  ///< a 64-bit unsigned enumerator keeps its bit pattern
};

/// A variable of a DATASEC: a program's .bss, .data, .rodata.
struct BtfVariable {
  std::string_view name;
  BtfTypeId type{};
  std::uint64_t offset = 0;      ///< bytes from the section's start
  std::uint64_t size_bytes = 0;  ///< as the section says
};

/// Parsed BTF with an index of its named types. Immutable, safe from several threads. Movable; string_views
/// it gives live as long as it. The bytes are not trusted: a damaged table gives errors, never a crash or an
/// endless loop.
class Btf {
 public:
  /// Parses the bytes of a .BTF section (little endian). They are copied. kCorrupt names what is wrong. With
  /// a base it is split BTF: its types are numbered after those of `base`, which it refers to and keeps
  /// alive. All queries see both, what is its own first.
  [[nodiscard]] static Result<Btf> parse(std::span<const std::byte> bytes,
                                         std::shared_ptr<const Btf> base = nullptr);
  /// Parses a file that holds a raw .BTF section.
  [[nodiscard]] static Result<Btf> load(const std::filesystem::path& file);

  Btf(Btf&&) noexcept;
  Btf& operator=(Btf&&) noexcept;
  ~Btf();

  /// The struct or union called `name`, or the one that the typedef `name` stands for. The first with a
  /// definition wins.
  [[nodiscard]] std::optional<BtfTypeId> find_struct(std::string_view name) const;

  /// sizeof the type; nullopt for void, functions, incomplete types and damaged references.
  [[nodiscard]] std::optional<std::uint64_t> size_of(BtfTypeId type) const;

  /// Resolves "a.b[3].c" from a struct or union: through typedefs, qualifiers and anonymous members, never
  /// through pointers. kNotFound: no such member; the message names the part that failed. kCorrupt: the table
  /// contradicts itself.
  [[nodiscard]] Result<BtfMember> member(BtfTypeId structure, std::string_view path) const;

  /// The direct members of a struct or union, in order; empty for any other type.
  [[nodiscard]] std::vector<BtfNamedMember> members(BtfTypeId structure) const;

  /// The type a pointer points to, seen through typedefs and qualifiers; nullopt when `type` is no pointer.
  [[nodiscard]] std::optional<BtfTypeId> pointee(BtfTypeId type) const;
  /// The number of elements and the element type of an array, seen through typedefs and qualifiers.
  [[nodiscard]] std::optional<std::pair<std::uint64_t, BtfTypeId>> array(BtfTypeId type) const;

  /// The enumerators of `enum name`, in order; empty when there is no such enum.
  [[nodiscard]] std::vector<BtfEnumerator> enumerators(std::string_view name) const;
  /// The value of an enumerator of any enum, anonymous ones included.
  [[nodiscard]] std::optional<std::int64_t> enumerator(std::string_view name) const;

  /// The variables of a DATASEC, in order; empty for any other type.
  [[nodiscard]] std::vector<BtfVariable> variables(BtfTypeId section) const;
  /// The name of a type; "" for none and for an unknown id.
  [[nodiscard]] std::string_view name_of(BtfTypeId type) const;

  /// Number of types, void and those of the base included.
  [[nodiscard]] std::uint32_t type_count() const;
  /// What split BTF is split over; nullptr otherwise.
  [[nodiscard]] const Btf* base() const { return base_.get(); }
  /// The bytes it was parsed from, those of the base left out.
  [[nodiscard]] std::span<const std::byte> raw() const;

  /// A type's record as it is in the table (linux/btf.h), with what follows it; nullptr for an unknown id.
  [[nodiscard]] const btf_type* type(BtfTypeId id) const;
  /// A name of the string table; "" for a wrong offset and for a name longer than the kernel's longest.
  [[nodiscard]] std::string_view name_at(std::uint32_t offset) const;
  /// What is behind typedefs, qualifiers and tags; 0 when they have no end.
  [[nodiscard]] BtfTypeId strip(BtfTypeId id) const;

 private:
  struct Free {
    void operator()(btf* handle) const;
  };
  explicit Btf(btf* handle, std::shared_ptr<const Btf> base = nullptr)
      : base_(std::move(base)), handle_(handle) {}

  void build_index();
  [[nodiscard]] std::vector<BtfEnumerator> enumerators_of(BtfTypeId id) const;
  [[nodiscard]] BtfMember member_at(const btf_type* structure, std::uint32_t index) const;
  [[nodiscard]] Result<BtfMember> find_member(BtfTypeId structure, std::string_view name) const;
  [[nodiscard]] Result<BtfMember> element(const BtfMember& array_member, std::string_view index) const;

  std::shared_ptr<const Btf> base_;  // freed after handle_, which points into it
  std::unique_ptr<btf, Free> handle_;
  std::unordered_map<std::string_view, BtfTypeId> structs_;
  std::unordered_map<std::string_view, BtfTypeId> typedefs_;
  std::unordered_map<std::string_view, BtfTypeId> named_enums_;
  std::vector<BtfTypeId> enums_;
};

}  // namespace ktstr::introspect
