// Changing map contents from outside: bounds and types are checked before a byte is written.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "engine/base/result.h"
#include "introspect/bpf/layouts.h"
#include "introspect/bpf/map_list.h"
#include "introspect/btf.h"
#include "introspect/kernel.h"
#include "introspect/memory.h"

namespace ktstr::introspect {

/// A number that a script gives; text is for arrays of char.
using ScalarValue = std::variant<bool, std::int64_t, std::uint64_t, double, std::string>;

/// A variable, or a member or element of one, inside a global section.
struct GlobalPlace {
  BtfTypeId type{};
  std::uint64_t offset = 0;     ///< bytes from the section's start
  std::uint64_t size = 0;       ///< bytes
  std::uint32_t bit_shift = 0;  ///< of a bitfield, within the bytes
  std::uint32_t bit_width = 0;  ///< of a bitfield; 0 otherwise
};

/// The largest variable that is read or written as a whole.
inline constexpr std::uint64_t kMaxGlobalBytes = 1U << 20;
/// kOutOfRange, with what to do, for a larger one.
[[nodiscard]] Status check_global_size(std::string_view what, std::uint64_t size);

/// Finds "variable", "variable.member" or "variable[3].member" in the section whose map is `map`: its value
/// type is the section's DATASEC in `btf`. Errors: kInvalidArgument, no map of a global section; kNotFound
/// names what is not there, and the nearest variable; kCorrupt, a place outside the map's value; kOutOfRange,
/// more than kMaxGlobalBytes.
[[nodiscard]] Result<GlobalPlace> find_global(const BpfMapInfo& map, const Btf& btf, std::string_view path);

/// The bytes of `place` out of the guest. Errors: kOutOfRange.
[[nodiscard]] Result<std::vector<std::byte>> read_global(const Kernel& kernel, const BpfLayouts& layouts,
                                                         const BpfMapInfo& map, const GlobalPlace& place);

/// `value` as `size` bytes of `type`: integers by sign and width, bool, enum, float, pointers from integers,
/// char arrays from text (NUL-padded). Errors: kInvalidArgument names type and value when it does not fit.
[[nodiscard]] Result<std::vector<std::byte>> encode_scalar(const Btf& btf, BtfTypeId type,
                                                           const ScalarValue& value);

/// The same for a bitfield: its bits, in the lowest place. Precondition: place.bit_width != 0.
[[nodiscard]] Result<std::uint64_t> encode_bits(const Btf& btf, const GlobalPlace& place,
                                                const ScalarValue& value);

/// Why user space, and so we, may not write to `map`: .rodata, frozen, BPF_F_RDONLY; nullopt: it may be
/// written.
[[nodiscard]] std::optional<std::string> write_refusal(const BpfMapInfo& map);

/// Writes a variable. A bitfield's neighbours are kept, read and written back: freeze the guest for that.
[[nodiscard]] Status write_global(const Kernel& kernel, const BpfLayouts& layouts, WritableMemory& memory,
                                  const BpfMapInfo& map, const Btf& btf, std::string_view path,
                                  const ScalarValue& value);

/// Writes `bytes` at `offset` in the value of an ARRAY's element. kOutOfRange: past max_entries or
/// value_size.
[[nodiscard]] Status write_array_value(const Kernel& kernel, const BpfLayouts& layouts,
                                       WritableMemory& memory, const BpfMapInfo& map, std::uint32_t index,
                                       std::uint64_t offset, std::span<const std::byte> bytes);

/// Writes `bytes` at `offset` in the value of the element of a HASH or LRU_HASH with `key`. Elements are
/// never added: kNotFound when there is none. Freeze the guest: the element may be freed between look-up and
/// write.
[[nodiscard]] Status write_hash_value(const Kernel& kernel, const BpfLayouts& layouts, WritableMemory& memory,
                                      const BpfMapInfo& map, std::span<const std::byte> key,
                                      std::uint64_t offset, std::span<const std::byte> bytes);

}  // namespace ktstr::introspect
