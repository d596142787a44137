#include "introspect/bpf/write_map.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "introspect/bpf/hash_walk.h"
#include "introspect/bpf/read_context.h"
#include "introspect/translator.h"

namespace ktstr::introspect {
namespace {

// include/uapi/linux/bpf.h
constexpr std::uint32_t kReadOnlyForSyscalls = 1U << 3;  // BPF_F_RDONLY
constexpr std::uint32_t kReadOnlyForPrograms = 1U << 7;  // BPF_F_RDONLY_PROG

constexpr std::uint64_t kPage = 4096;

Error out_of_range(std::string message) {
  return {ErrorCode::kOutOfRange, std::move(message)};
}

/// Translates every page first, so that a failure leaves nothing half written.
Status write_kernel_memory(const Kernel& kernel, WritableMemory& memory, KernelVirt address,
                           std::span<const std::byte> bytes) {
  struct Piece {
    GuestPhys place;
    std::span<const std::byte> bytes;
  };
  std::vector<Piece> pieces;
  while (!bytes.empty()) {
    const auto mapping = kernel.translator().translate(address);
    if (!mapping) return out_of_range("the value is in memory that is not mapped");
    const std::size_t length = std::min<std::uint64_t>(bytes.size(), kPage - address.value() % kPage);
    pieces.push_back({mapping->address, bytes.first(length)});
    bytes = bytes.subspan(length);
    address = address + length;
  }
  for (const Piece& piece : pieces)
    if (!memory.write(piece.place, piece.bytes)) return out_of_range("the value is outside RAM");
  return ok();
}

Status check_bounds(const BpfMapInfo& map, std::uint64_t offset, std::size_t length) {
  if (offset <= map.value_size && length <= map.value_size - offset) return ok();
  return out_of_range(fmt::format("{} bytes at {} do not fit the value of {} bytes of map {}", length, offset,
                                  map.value_size, map.name));
}

Status check_writable(const BpfMapInfo& map) {
  const auto refusal = write_refusal(map);
  return refusal ? Status(invalid_argument(*refusal)) : ok();
}

Result<KernelVirt> array_value(const Kernel& kernel, const BpfLayouts& layouts, const BpfMapInfo& map,
                               std::uint32_t index) {
  if (map.type != map_type::kArray)
    return invalid_argument("map " + map.name + " is no ARRAY but " + map.type_name);
  if (index >= map.max_entries)
    return out_of_range(fmt::format("no element {} of {} in map {}", index, map.max_entries, map.name));
  const std::uint64_t stride = padded(map.value_size);
  return KTSTR_TRY(array_elements(kernel, layouts, map, stride)) + index * stride;
}

Result<KernelVirt> hash_value(const Kernel& kernel, const BpfLayouts& layouts, const BpfMapInfo& map,
                              std::span<const std::byte> key) {
  if (map.type != map_type::kHash && map.type != map_type::kLruHash)
    return invalid_argument("map " + map.name + " is no HASH but " + map.type_name);
  if (key.size() != map.key_size)
    return invalid_argument(
        fmt::format("a key of {} bytes for map {}, whose keys have {}", key.size(), map.name, map.key_size));
  const MapReadLimits limits;
  const ReadContext context{kernel, layouts, map, limits};
  KTSTR_TRY(check_entry_size(context));
  HashWalk walk = KTSTR_TRY(HashWalk::open(context, map.value_size));
  std::optional<KernelVirt> found;
  ReadMarks marks;
  walk.run(
      map.max_entries, marks,
      [&](KernelVirt node, std::span<const std::byte> candidate, std::span<const std::byte>) {
        if (std::ranges::equal(candidate, key)) found = walk.value_address(node);
        return !found;
      },
      [](std::size_t) {});
  if (found) return *found;
  return Error{ErrorCode::kNotFound,
               "no entry with that key in map " + map.name +
                   (marks.whole() ? "" : ", of which not all was read: " + marks.reason)};
}

/// The place's bytes with the bitfield's bits replaced.
Result<std::vector<std::byte>> merge_bits(const Kernel& kernel, KernelVirt address, const GlobalPlace& place,
                                          std::uint64_t bits) {
  std::uint64_t word = 0;
  std::vector<std::byte> bytes(place.size);
  if (!kernel.read_bytes(address, bytes)) return map_unreadable("the bitfield's neighbours");
  std::memcpy(&word, bytes.data(), bytes.size());
  const std::uint64_t mask = ~std::uint64_t{0} >> (64 - place.bit_width) << place.bit_shift;
  word = (word & ~mask) | (bits << place.bit_shift);
  std::memcpy(bytes.data(), &word, bytes.size());
  return bytes;
}

}  // namespace

std::optional<std::string> write_refusal(const BpfMapInfo& map) {
  if (map.frozen) return "map " + map.name + " is frozen: user space may not change it";
  if (map.map_flags & kReadOnlyForSyscalls) return "map " + map.name + " has BPF_F_RDONLY";
  const auto section = map.name.find(".rodata");
  if (section != std::string::npos || (map.map_flags & kReadOnlyForPrograms) != 0)
    return "map " + map.name + " is read-only for its programs, which the verifier may have relied on";
  return std::nullopt;
}

Result<std::vector<std::byte>> read_global(const Kernel& kernel, const BpfLayouts& layouts,
                                           const BpfMapInfo& map, const GlobalPlace& place) {
  KTSTR_TRY(check_bounds(map, place.offset, place.size));
  KTSTR_TRY(check_global_size("the variable", place.size));
  const KernelVirt value = KTSTR_TRY(array_value(kernel, layouts, map, 0));
  std::vector<std::byte> bytes(place.size);
  if (!kernel.read_bytes(value + place.offset, bytes)) return map_unreadable("the variable");
  return bytes;
}

Status write_global(const Kernel& kernel, const BpfLayouts& layouts, WritableMemory& memory,
                    const BpfMapInfo& map, const Btf& btf, std::string_view path, const ScalarValue& value) {
  KTSTR_TRY(check_writable(map));
  const GlobalPlace place = KTSTR_TRY(find_global(map, btf, path));
  const KernelVirt address = KTSTR_TRY(array_value(kernel, layouts, map, 0)) + place.offset;
  if (place.bit_width == 0)
    return write_kernel_memory(kernel, memory, address, KTSTR_TRY(encode_scalar(btf, place.type, value)));
  const std::uint64_t bits = KTSTR_TRY(encode_bits(btf, place, value));
  return write_kernel_memory(kernel, memory, address, KTSTR_TRY(merge_bits(kernel, address, place, bits)));
}

Status write_array_value(const Kernel& kernel, const BpfLayouts& layouts, WritableMemory& memory,
                         const BpfMapInfo& map, std::uint32_t index, std::uint64_t offset,
                         std::span<const std::byte> bytes) {
  KTSTR_TRY(check_writable(map));
  KTSTR_TRY(check_bounds(map, offset, bytes.size()));
  const KernelVirt value = KTSTR_TRY(array_value(kernel, layouts, map, index));
  return write_kernel_memory(kernel, memory, value + offset, bytes);
}

Status write_hash_value(const Kernel& kernel, const BpfLayouts& layouts, WritableMemory& memory,
                        const BpfMapInfo& map, std::span<const std::byte> key, std::uint64_t offset,
                        std::span<const std::byte> bytes) {
  KTSTR_TRY(check_writable(map));
  KTSTR_TRY(check_bounds(map, offset, bytes.size()));
  const KernelVirt value = KTSTR_TRY(hash_value(kernel, layouts, map, key));
  return write_kernel_memory(kernel, memory, value + offset, bytes);
}

}  // namespace ktstr::introspect
