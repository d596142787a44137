#include "introspect/arena/program_types.h"

#include <bpf/btf.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

namespace ktstr::introspect {
namespace {

struct Candidate {
  BtfTypeId type;
  std::string_view name;
};

std::vector<Candidate> structs_of_size(const Btf& btf, std::uint64_t bytes) {
  std::vector<Candidate> result;
  const std::uint32_t first = btf.base() ? btf.base()->type_count() : 1;
  for (std::uint32_t id = first; id < btf.type_count(); ++id) {
    const btf_type* entry = btf.type(BtfTypeId{id});
    if (entry == nullptr || !btf_is_struct(entry) || entry->size != bytes) continue;
    if (const auto name = btf.name_at(entry->name_off); !name.empty())
      result.push_back({BtfTypeId{id}, name});
  }
  return result;
}

/// The only candidate whose name fits; 0 for none and for several.
template <class Fits>
BtfTypeId only_one(const std::vector<Candidate>& candidates, Fits fits) {
  const auto matches = [&](const Candidate& candidate) { return fits(candidate.name); };
  if (std::ranges::count_if(candidates, matches) != 1) return BtfTypeId{};
  return std::ranges::find_if(candidates, matches)->type;
}

BtfTypeId named_like_allocator(const std::vector<Candidate>& candidates, std::string_view allocator) {
  const std::string_view stem = without_suffix(allocator, "_allocator");
  const std::string_view bare = stem.starts_with("scx_") ? stem.substr(4) : std::string_view();
  for (const std::string_view wanted : {stem, bare}) {
    if (wanted.empty()) continue;
    const BtfTypeId found = only_one(candidates, [&](std::string_view name) { return name == wanted; });
    if (found != BtfTypeId{}) return found;
  }
  return {};
}

BtfTypeId named_by_convention(const std::vector<Candidate>& candidates) {
  BtfTypeId found = only_one(candidates, [](std::string_view name) { return name == "task_ctx"; });
  for (const std::string_view ending : {"_arena_ctx", "_task_ctx", "_ctx"})
    if (found == BtfTypeId{})
      found = only_one(candidates, [&](std::string_view name) { return name.ends_with(ending); });
  return found;
}

}  // namespace

std::vector<SectionVariable> variables_of(const Btf& btf, BtfTypeId section, std::span<const std::byte> bytes,
                                          std::string_view struct_name) {
  std::vector<SectionVariable> result;
  for (const BtfVariable& variable : btf.variables(section)) {
    const BtfTypeId type = btf.strip(variable.type);
    const btf_type* entry = btf.type(type);
    if (entry == nullptr || !btf_is_struct(entry) || btf.name_at(entry->name_off) != struct_name) continue;
    if (variable.offset > bytes.size() || entry->size > bytes.size() - variable.offset) continue;
    result.push_back({std::string(variable.name), type, bytes.subspan(variable.offset, entry->size)});
  }
  return result;
}

std::optional<std::uint64_t> u64_member(const Btf& btf, const SectionVariable& variable,
                                        std::string_view path) {
  const auto member = btf.member(variable.type, path);
  if (!member || member->size_bytes != 8 || member->bit_offset % 8 != 0) return std::nullopt;
  const std::uint64_t offset = member->byte_offset();
  if (offset > variable.bytes.size() || variable.bytes.size() - offset < 8) return std::nullopt;
  std::uint64_t value = 0;
  std::memcpy(&value, variable.bytes.data() + offset, sizeof(value));
  return value;
}

PayloadType find_payload_type(const Btf& btf, std::uint64_t payload_bytes, std::string_view allocator_name) {
  if (payload_bytes == 0) return {{}, "payload_size == 0"};
  const auto candidates = structs_of_size(btf, payload_bytes);
  if (candidates.empty()) return {{}, "no candidate of size " + std::to_string(payload_bytes)};
  if (candidates.size() == 1) return {candidates.front().type, ""};
  BtfTypeId found = named_like_allocator(candidates, allocator_name);
  if (found == BtfTypeId{}) found = named_by_convention(candidates);
  if (found != BtfTypeId{}) return {found, ""};
  return {{}, "ambiguous: " + std::to_string(candidates.size()) + " candidates"};
}

}  // namespace ktstr::introspect
