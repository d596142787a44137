#include "introspect/dump/captured_pointers.h"

#include <array>

#include "introspect/render/render.h"

namespace ktstr::introspect {

CapturedPointers::Pointers::Pointers(const Resolution& resolve, GuestContextParts parts, ReadBudget& budget)
    : guest(std::move(parts)), resolution(resolve ? resolve(guest) : nullptr), follower(context(), &budget) {}

CapturedPointers::CapturedPointers(const Kernel& kernel, Resolution resolution, ReadBudget& budget)
    : kernel_(kernel),
      resolution_(std::move(resolution)),
      budget_(budget),
      memory_(kernel.translator().memory(), CopyingMemory::kMaxPages, &budget),
      translator_(Translator(memory_, kernel.translator().table()).of_still_guest()) {
  const GuestContextParts parts{.kernel = &kernel_, .memory = &translator_};
  in_allocations_ = std::make_unique<Pointers>(resolution_, parts, budget_);
  values_ = std::make_unique<Pointers>(resolution_, parts, budget_);
}

void CapturedPointers::find_allocations(const std::optional<ArenaWindow>& arena, const ProgramSection& bss) {
  if (arena) arena_.emplace(translator_, *arena);
  if (bss.btf) scx_static_ = read_scx_static(*bss.btf, bss.type, bss.bytes, arena ? &*arena : nullptr);
  GuestContextParts parts{.kernel = &kernel_, .memory = &translator_, .arena = arena_ ? &*arena_ : nullptr};
  allocations_ = find_sdt_allocations(parts.arena, bss, &budget_);
  in_allocations_ = std::make_unique<Pointers>(resolution_, parts, budget_);
  parts.slots = &allocations_.slots;
  parts.rendered = &allocations_.rendered;
  parts.scx_static = &scx_static_;
  values_ = std::make_unique<Pointers>(resolution_, parts, budget_);
  follow_allocations();
}

void CapturedPointers::follow_allocations() {
  for (const auto& allocator : allocations_.allocators) {
    const auto& kind = allocator.kind;
    for (const ArenaPlace slot : allocator.shown()) {
      if (budget_.expired()) return;
      std::array<std::byte, 8> header;
      const auto payload =
          arena_->read_at(slot, header) ? read_sdt_payload(*arena_, slot, kind) : std::nullopt;
      if (payload) in_allocations_->follower.follow(*kind.btf, kind.payload, *payload, {});
    }
  }
}

void CapturedPointers::follow(const Btf& btf, BtfTypeId type, std::span<const std::byte> bytes) {
  values_->follower.follow(btf, type, bytes, [this](const RenderedValue& value) { follow_payload(value); });
}

/// What payload() may show of it.
void CapturedPointers::follow_payload(const RenderedValue& value) {
  if (const auto* record = value.get_if<RenderedStruct>())
    for (const auto& member : record->members)
      if (member.value.get_if<RenderedPtr>()) follow_payload(member.value);
  const auto* pointer = value.get_if<RenderedPtr>();
  const auto payload = pointer ? payload_at(*pointer) : std::nullopt;
  if (payload) values_->follower.follow(*payload->type.btf, payload->type.type, payload->bytes, {});
}

std::optional<RenderedValue> CapturedPointers::payload(const RenderedValue& value,
                                                       std::size_t& nodes_left) const {
  const auto* record = value.get_if<RenderedStruct>();
  if (!record || nodes_left == 0) return std::nullopt;
  for (const auto& member : record->members) {
    const auto* pointer = member.value.get_if<RenderedPtr>();
    const auto payload = pointer ? payload_at(*pointer) : std::nullopt;
    if (payload)
      return render_value(*payload->type.btf, payload->type.type, payload->bytes, context(), nodes_left);
  }
  return std::nullopt;
}

std::optional<CapturedPointers::Payload> CapturedPointers::payload_at(const RenderedPtr& pointer) const {
  const auto object = values_->guest.object_at(pointer.value);
  const auto size = object ? object->type.btf->size_of(object->type.type) : std::nullopt;
  if (!size || *size > kMaxSdtPayloadBytes) return std::nullopt;
  Payload payload{object->type, std::vector<std::byte>(*size)};
  if (!arena_->read(pointer.value + object->header_bytes, payload.bytes)) return std::nullopt;
  return payload;
}

std::vector<SdtAllocatorSnapshot> CapturedPointers::render_allocations() const {
  std::vector<SdtAllocatorSnapshot> snapshots;
  std::size_t nodes_left = kMaxSdtValues;
  for (const auto& allocator : allocations_.allocators)
    snapshots.push_back(render_sdt_allocator(*arena_, allocator, in_allocations_->context(), nodes_left));
  return snapshots;
}

}  // namespace ktstr::introspect
