#include "introspect/ctprof/jemalloc/tsd_layout.h"

#include <dwarf.h>

#include <string_view>

namespace ktstr::introspect::ctprof {
namespace {

std::string_view name_of(Dwarf_Die& die) {
  const char* name = ::dwarf_diename(&die);
  return name ? name : "";
}

/// Calls visit(child) for each child of that tag until it returns true; whether it did.
template <class Visit>
bool any_child(Dwarf_Die& parent, int tag, Visit visit) {
  Dwarf_Die child;
  if (::dwarf_child(&parent, &child) != 0) return false;
  do
    if (::dwarf_tag(&child) == tag && visit(child)) return true;
  while (::dwarf_siblingof(&child, &child) == 0);
  return false;
}

/// The offset of a member of 8 bytes.
std::optional<std::uint64_t> offset_of_word(Dwarf_Die& member) {
  Dwarf_Attribute attribute;
  Dwarf_Die type;
  Dwarf_Word offset = 0;
  if (!::dwarf_attr(&member, DW_AT_data_member_location, &attribute) ||
      ::dwarf_formudata(&attribute, &offset) != 0)
    return std::nullopt;
  if (!::dwarf_attr(&member, DW_AT_type, &attribute) || !::dwarf_formref_die(&attribute, &type) ||
      ::dwarf_peel_type(&type, &type) != 0 || ::dwarf_bytesize(&type) != 8)
    return std::nullopt;
  return offset;
}

bool is_called(std::string_view name, std::string_view plain) {
  if (!name.ends_with(plain)) return false;
  name.remove_suffix(plain.size());
  return name.empty() || name.ends_with('_');
}

/// All 64 bits of it: dwarf_bytesize() gives an int.
std::optional<std::uint64_t> size_of(Dwarf_Die& type) {
  Dwarf_Attribute attribute;
  Dwarf_Word size = 0;
  if (!::dwarf_attr(&type, DW_AT_byte_size, &attribute) || ::dwarf_formudata(&attribute, &size) != 0)
    return std::nullopt;
  return size;
}

std::optional<TsdLayout> layout_of(Dwarf_Die& structure, std::uint64_t size) {
  if (name_of(structure) != "tsd_s" || size_of(structure) != size) return std::nullopt;
  std::optional<std::uint64_t> allocated, deallocated;
  any_child(structure, DW_TAG_member, [&](Dwarf_Die& member) {
    if (is_called(name_of(member), "thread_allocated")) allocated = offset_of_word(member);
    if (is_called(name_of(member), "thread_deallocated")) deallocated = offset_of_word(member);
    return allocated && deallocated;
  });
  const auto fits = [&](auto offset) {
    return offset && *offset % 8 == 0 && *offset < size && size - *offset >= 8;
  };
  if (!fits(allocated) || !fits(deallocated)) return std::nullopt;
  return TsdLayout{*allocated, *deallocated};
}

std::optional<TsdLayout> layout_in_unit(Dwarf_Die& unit, std::uint64_t size) {
  std::optional<TsdLayout> layout;
  any_child(unit, DW_TAG_structure_type, [&](Dwarf_Die& structure) {
    layout = layout_of(structure, size);
    return layout.has_value();
  });
  return layout;
}

/// The units whose source is called so, or all others.
std::optional<TsdLayout> layout_in_units(Dwarf* dwarf, std::uint64_t size, bool tsd_source) {
  Dwarf_CU* unit = nullptr;
  Dwarf_Die die, split;
  while (::dwarf_get_units(dwarf, unit, &unit, nullptr, nullptr, &die, &split) == 0) {
    if (name_of(die).ends_with("tsd.c") != tsd_source) continue;
    Dwarf_Die& whole = ::dwarf_tag(&split) == DW_TAG_compile_unit ? split : die;
    if (const auto layout = layout_in_unit(whole, size)) return layout;
  }
  return std::nullopt;
}

}  // namespace

std::optional<TsdLayout> find_tsd_layout(Dwarf* dwarf, std::uint64_t size) {
  // A large program has thousands of units; the one that defines the variable is quickly found by name.
  if (const auto layout = layout_in_units(dwarf, size, true)) return layout;
  return layout_in_units(dwarf, size, false);
}

}  // namespace ktstr::introspect::ctprof
