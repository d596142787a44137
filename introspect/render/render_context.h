// RenderContext: all that rendering needs to know beyond the bytes and their BTF.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "introspect/btf.h"

namespace ktstr::introspect {

/// A type and the BTF its number counts in.
struct TypeInBtf {
  const Btf* btf = nullptr;  ///< outlives the rendering
  BtfTypeId type{};
};

/// What lies at an arena address, when its allocator says more than the pointer's declaration.
struct ArenaObject {
  TypeInBtf type;
  std::uint64_t header_bytes = 0;  ///< between the address and the object
};

/// Which memory an address is to be read from.
enum class PointerSpace { kArena, kKernel };

/// An integer member known to hold a pointer.
struct InferredPointer {
  TypeInBtf pointee;  ///< type 0: the context's arena_object() decides
  PointerSpace space = PointerSpace::kArena;
};

/// Where the bytes come from. Each answer defaults to "unknown"; a caller overrides what it has. Const calls
/// come from the thread that renders.
class RenderContext {
 public:
  virtual ~RenderContext() = default;

  /// The kernel function or variable at `address`: "schedule+0x1c".
  [[nodiscard]] virtual std::optional<std::string> symbolize(std::uint64_t /*address*/) const { return {}; }

  /// Whether `address` is one of the arena's, as a program or user space sees it.
  [[nodiscard]] virtual bool is_arena_address(std::uint64_t /*address*/) const { return false; }
  /// Copies out.size() bytes at an arena address; false when any of them is not there.
  [[nodiscard]] virtual bool read_arena(std::uint64_t /*address*/, std::span<std::byte> /*out*/) const {
    return false;
  }
  /// Copies kernel memory (cpumasks behind kptrs, inferred kernel pointers).
  [[nodiscard]] virtual bool read_kernel(std::uint64_t /*address*/, std::span<std::byte> /*out*/) const {
    return false;
  }
  /// The object at an arena address, for a pointee declared as void, forward or an allocator's header. `btf`
  /// is the asker's: an answer in another program's numbering names that BTF.
  [[nodiscard]] virtual std::optional<ArenaObject> arena_object(std::uint64_t /*address*/,
                                                                const Btf& /*btf*/) const {
    return {};
  }
  /// Whether the object at an arena address is shown elsewhere in the same report.
  [[nodiscard]] virtual bool is_already_rendered(std::uint64_t /*address*/) const { return false; }
  /// The definition of a struct (or union) that `btf` only declares, in whichever BTF has it.
  [[nodiscard]] virtual std::optional<TypeInBtf> find_definition(const Btf& /*btf*/,
                                                                 std::string_view /*name*/,
                                                                 bool /*is_union*/) const {
    return {};
  }
  /// What the 64-bit integer member at `byte_offset` of `structure` points to, if it is a pointer in
  /// disguise.
  [[nodiscard]] virtual std::optional<InferredPointer> infer_pointer(const Btf& /*btf*/,
                                                                     BtfTypeId /*structure*/,
                                                                     std::uint64_t /*byte_offset*/) const {
    return {};
  }
  /// One more than the highest CPU that can exist; CPU masks are cut there. 0: unknown, nothing is cut.
  [[nodiscard]] virtual std::size_t nr_cpu_ids() const { return 0; }
};

}  // namespace ktstr::introspect
