#include "introspect/arena/guest_context.h"

#include <fmt/format.h>

#include <bpf/btf.h>

#include "introspect/translator.h"

namespace ktstr::introspect {

namespace {

std::optional<TypeInBtf> defined_in(const Btf& btf, std::string_view name, bool is_union) {
  const auto found = btf.find_struct(name);
  const btf_type* entry = found ? btf.type(*found) : nullptr;
  if (entry == nullptr || btf_is_union(entry) != is_union || btf.name_at(entry->name_off) != name)
    return std::nullopt;
  return TypeInBtf{&btf, *found};
}

}  // namespace

std::optional<std::string> GuestContext::symbolize(std::uint64_t address) const {
  const auto named = parts_.kernel ? parts_.kernel->symbolize(KernelVirt(address)) : std::nullopt;
  if (!named) return std::nullopt;
  return fmt::format("{}+{:#x}", named->name, named->offset);
}

std::optional<ArenaPlace> GuestContext::place_of(std::uint64_t address) const {
  return parts_.arena ? parts_.arena->window().place_of(address) : std::nullopt;
}

bool GuestContext::is_arena_address(std::uint64_t address) const {
  return place_of(address).has_value();
}

bool GuestContext::read_arena(std::uint64_t address, std::span<std::byte> out) const {
  return parts_.arena && parts_.arena->read(address, out);
}

bool GuestContext::read_kernel(std::uint64_t address, std::span<std::byte> out) const {
  return parts_.memory && parts_.memory->plausible_pointer(KernelVirt(address), 1) &&
         parts_.memory->read_bytes(KernelVirt(address), out);
}

std::optional<ArenaObject> GuestContext::object_at(std::uint64_t address) const {
  const auto place = place_of(address);
  if (!place || !parts_.slots) return std::nullopt;
  if (parts_.scx_static && is_scx_static_place(*parts_.scx_static, *place)) return std::nullopt;
  return parts_.slots->find(*place);
}

std::optional<ArenaObject> GuestContext::arena_object(std::uint64_t address, const Btf&) const {
  return object_at(address);
}

bool GuestContext::is_already_rendered(std::uint64_t address) const {
  const auto place = place_of(address);
  return place && parts_.rendered && parts_.rendered->contains(*place);
}

std::optional<TypeInBtf> GuestContext::find_definition(const Btf& btf, std::string_view name,
                                                       bool is_union) const {
  auto found = defined_in(btf, name, is_union);
  for (const auto& sibling : parts_.sibling_btfs)
    if (!found) found = defined_in(*sibling, name, is_union);
  return found;
}

std::size_t GuestContext::nr_cpu_ids() const {
  return parts_.kernel ? parts_.kernel->nr_cpu_ids() : 0;
}

}  // namespace ktstr::introspect
