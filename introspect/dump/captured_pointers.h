// CapturedPointers: what the values of one dump point to, as it was while the guest stood still.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "introspect/arena/guest_context.h"
#include "introspect/arena/sdt_alloc.h"
#include "introspect/copying_memory.h"
#include "introspect/kernel.h"
#include "introspect/render/pointer_places.h"
#include "introspect/translator.h"

namespace ktstr::introspect {

/// Which pointers rendering follows, and where to, only rendering itself knows. So whatever holds pointers is
/// followed while the guest stands still, by the renderer and over memory that copies what is read. The same
/// steps taken again after seal() find the same bytes.
class CapturedPointers {
 public:
  /// Makes the object that resolves pointers, over the one that knows the guest; empty: that one alone.
  using Resolution = std::function<std::unique_ptr<RenderContext>(const RenderContext& base)>;

  /// `kernel` must outlive it; its memory and `budget`, the calls before seal().
  CapturedPointers(const Kernel& kernel, Resolution resolution, ReadBudget& budget);
  CapturedPointers(const CapturedPointers&) = delete;
  CapturedPointers& operator=(const CapturedPointers&) = delete;

  /// Finds what the scheduler's allocators keep in its arena, and copies it. Once, before follow().
  void find_allocations(const std::optional<ArenaWindow>& arena, const ProgramSection& bss);
  /// Whether values of the type lead anywhere.
  [[nodiscard]] bool leads_out(const Btf& btf, BtfTypeId type) {
    return values_->follower.leads_out(btf, type);
  }
  /// Copies what a value leads to.
  void follow(const Btf& btf, BtfTypeId type, std::span<const std::byte> bytes);
  /// The guest is not read any more.
  void seal() { memory_.seal(); }

  [[nodiscard]] const RenderContext& context() const { return values_->context(); }
  /// What the first arena pointer among the members of `value` leads to, if an allocator tells its type.
  /// It takes its nodes from those that are left; nullopt when there are none.
  [[nodiscard]] std::optional<RenderedValue> payload(const RenderedValue& value,
                                                     std::size_t& nodes_left) const;
  [[nodiscard]] std::vector<SdtAllocatorSnapshot> render_allocations() const;

  [[nodiscard]] const SdtAllocations& allocations() const { return allocations_; }
  [[nodiscard]] const ScxStaticSnapshot& scx_static() const { return scx_static_; }
  /// Whether more lies behind pointers than is copied.
  [[nodiscard]] bool is_cut() const { return memory_.is_full(); }

 private:
  /// The guest, and the caller's pointer resolution over it.
  struct Pointers {
    Pointers(const Resolution& resolve, GuestContextParts parts, ReadBudget& budget);
    [[nodiscard]] const RenderContext& context() const {
      return resolution ? *resolution : static_cast<const RenderContext&>(guest);
    }
    GuestContext guest;
    std::unique_ptr<RenderContext> resolution;  ///< null: `guest` alone
    PointerFollower follower;
  };
  /// An object whose type an allocator tells.
  struct Payload {
    TypeInBtf type;
    std::vector<std::byte> bytes;
  };

  void follow_allocations();
  void follow_payload(const RenderedValue& value);
  [[nodiscard]] std::optional<Payload> payload_at(const RenderedPtr& pointer) const;

  const Kernel& kernel_;
  Resolution resolution_;
  ReadBudget& budget_;
  CopyingMemory memory_;
  Translator translator_;  ///< over the copies
  std::optional<ArenaReader> arena_;
  SdtAllocations allocations_;
  ScxStaticSnapshot scx_static_;
  std::unique_ptr<Pointers> in_allocations_;  ///< pointers between allocations stay pointers
  std::unique_ptr<Pointers> values_;
};

}  // namespace ktstr::introspect
