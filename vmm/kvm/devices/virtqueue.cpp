#include "vmm/kvm/devices/virtqueue.h"

#include <atomic>
#include <bit>
#include <limits>

#include "engine/base/check.h"

namespace ktstr::vmm::kvm {
namespace {

// Flags of virtio 1.2, 2.7.5 and 2.7.6.
constexpr std::uint16_t kNext = 1;
constexpr std::uint16_t kWrite = 2;
constexpr std::uint16_t kIndirect = 4;
constexpr std::uint16_t kNoInterrupt = 1;

// Rings: flags, index, then the entries.
constexpr std::uint64_t kIndexOffset = 2;
constexpr std::uint64_t kEntriesOffset = 4;
constexpr std::uint64_t kDescriptorBytes = 16;
constexpr std::uint64_t kAvailableEntryBytes = 2;
constexpr std::uint64_t kUsedEntryBytes = 8;

template <class T>
T load(T* address, std::memory_order order = std::memory_order_relaxed) {
  return std::atomic_ref<T>(*address).load(order);
}

}  // namespace

/// A copy of one entry of the descriptor table.
struct Virtqueue::Descriptor {
  GuestPhys address;
  std::uint32_t bytes = 0;
  std::uint16_t flags = 0;
  std::uint16_t next = 0;
};

Virtqueue::Virtqueue(const GuestMemory& memory, std::uint16_t max_size)
    : memory_(memory), max_size_(max_size) {
  KTSTR_CHECK(std::has_single_bit(max_size) && max_size <= kMaxSize);
  reset();
}

void Virtqueue::reset() {
  state_ = State{};
  state_.layout.size = max_size_;
}

void Virtqueue::set_layout(const VirtqueueLayout& layout) {
  if (!state_.enabled && std::has_single_bit(layout.size) && layout.size <= max_size_) state_.layout = layout;
}

Status Virtqueue::enable() {
  KTSTR_TRY(check_layout());
  state_.enabled = true;
  return ok();
}

Status Virtqueue::check_layout() const {
  const auto& [size, descriptors, available, used] = state_.layout;
  if (descriptors.value() % 16 != 0 || available.value() % 2 != 0 || used.value() % 4 != 0)
    return corrupted("virtqueue: misaligned ring");
  if (!memory_.slice(descriptors, kDescriptorBytes * size) ||
      !memory_.slice(available, kEntriesOffset + kAvailableEntryBytes * size) ||
      !memory_.slice(used, kEntriesOffset + kUsedEntryBytes * size))
    return corrupted("virtqueue: ring outside of RAM");
  return ok();
}

template <class T>
Result<T*> Virtqueue::in_ram(GuestPhys address) const {
  const auto bytes = memory_.slice(address, sizeof(T));
  if (!bytes) return corrupted("virtqueue: ring outside of RAM");
  return reinterpret_cast<T*>(bytes->data());
}

Result<std::optional<VirtqueueChain>> Virtqueue::peek() const {
  if (!state_.enabled) return std::optional<VirtqueueChain>();
  const auto& [size, descriptors, available, used] = state_.layout;
  const auto index =
      load(KTSTR_TRY(in_ram<std::uint16_t>(available + kIndexOffset)), std::memory_order_acquire);
  const auto waiting = static_cast<std::uint16_t>(index - state_.next_available);
  if (waiting == 0) return std::optional<VirtqueueChain>();
  if (waiting > size) return corrupted("virtqueue: more chains available than the queue has");
  const auto slot = state_.next_available % size;
  const auto head =
      load(KTSTR_TRY(in_ram<std::uint16_t>(available + kEntriesOffset + kAvailableEntryBytes * slot)));
  return std::optional(KTSTR_TRY(chain(head)));
}

Result<VirtqueueChain> Virtqueue::chain(std::uint16_t head) const {
  VirtqueueChain chain{head, {}, {}};
  auto index = head;
  for (std::uint16_t length = 0; length < state_.layout.size; ++length) {
    const auto entry = KTSTR_TRY(descriptor(index));
    KTSTR_TRY(append(chain, entry));
    if ((entry.flags & kNext) == 0) return chain;
    index = entry.next;
  }
  return corrupted("virtqueue: chain longer than the queue");
}

Result<Virtqueue::Descriptor> Virtqueue::descriptor(std::uint16_t index) const {
  if (index >= state_.layout.size) return corrupted("virtqueue: descriptor index beyond the queue");
  const auto at = state_.layout.descriptors + kDescriptorBytes * index;
  const auto address = load(KTSTR_TRY(in_ram<std::uint64_t>(at)));
  const auto rest = load(KTSTR_TRY(in_ram<std::uint64_t>(at + 8)));
  Descriptor entry;
  entry.address = GuestPhys(address);
  entry.bytes = static_cast<std::uint32_t>(rest);
  entry.flags = static_cast<std::uint16_t>(rest >> 32U);
  entry.next = static_cast<std::uint16_t>(rest >> 48U);
  return entry;
}

Status Virtqueue::append(VirtqueueChain& chain, const Descriptor& descriptor) const {
  const bool writable = (descriptor.flags & kWrite) != 0;
  if ((descriptor.flags & kIndirect) != 0)
    return corrupted("virtqueue: indirect descriptor was not negotiated");
  if (!writable && !chain.writable.empty()) return corrupted("virtqueue: readable after writable descriptor");
  if (descriptor.bytes == 0) return ok();
  const auto bytes = memory_.slice(descriptor.address, descriptor.bytes);
  if (!bytes) return corrupted("virtqueue: buffer outside of RAM");
  if (total_bytes(chain.readable) + total_bytes(chain.writable) + descriptor.bytes >
      std::numeric_limits<std::uint32_t>::max())
    return corrupted("virtqueue: chain of 4 GiB or more");
  (writable ? chain.writable : chain.readable).push_back(*bytes);
  return ok();
}

// The index is stored, and the flags are loaded after it, sequentially consistent: the driver stores the
// flags and loads the index, and one of the two must see the other (2.7.7.2).
Status Virtqueue::push(std::uint16_t head, std::uint32_t written) {
  const auto& [size, descriptors, available, used] = state_.layout;
  const auto slot = used + kEntriesOffset + kUsedEntryBytes * (state_.next_used % size);
  auto* const id = KTSTR_TRY(in_ram<std::uint32_t>(slot));
  auto* const length = KTSTR_TRY(in_ram<std::uint32_t>(slot + 4));
  auto* const index = KTSTR_TRY(in_ram<std::uint16_t>(used + kIndexOffset));
  std::atomic_ref(*id).store(head, std::memory_order_relaxed);
  std::atomic_ref(*length).store(written, std::memory_order_relaxed);
  std::atomic_ref(*index).store(++state_.next_used, std::memory_order_seq_cst);
  return ok();
}

Result<bool> Virtqueue::wants_interrupt() const {
  const auto flags =
      load(KTSTR_TRY(in_ram<std::uint16_t>(state_.layout.available)), std::memory_order_seq_cst);
  return (flags & kNoInterrupt) == 0;
}

void Virtqueue::restore(const State& state) {
  reset();
  set_layout(state.layout);
  state_.next_available = state.next_available;
  state_.next_used = state.next_used;
  state_.enabled = state.enabled && check_layout().has_value();
}

std::uint64_t total_bytes(std::span<const std::span<std::byte>> segments) {
  std::uint64_t total = 0;
  for (const auto segment : segments) total += segment.size();
  return total;
}

}  // namespace ktstr::vmm::kvm
