#include "introspect/translator.h"

#include <algorithm>
#include <cstring>

namespace ktstr::introspect {

namespace {

constexpr std::uint64_t kSmallPage = 1U << 12;
constexpr std::uint64_t kLargePiece = 1U << 21;
constexpr std::uint64_t kValid = 1;  // set in every stored key, so that an empty slot matches nothing

constexpr std::uint64_t page_of(std::uint64_t address, std::uint64_t page_size) {
  return address & ~(page_size - 1);
}

template <class Slots>
auto& slot_for(Slots& slots, std::uint64_t address, std::uint64_t page_size) {
  return slots[address / page_size % slots.size()];
}

template <class Slots>
std::optional<PageMapping> find_in(const Slots& slots, std::uint64_t address, std::uint64_t page_size) {
  const auto& slot = slot_for(slots, address, page_size);
  const std::uint64_t page = slot.page.load(std::memory_order_relaxed);
  const std::uint64_t key = slot.key_xor_page.load(std::memory_order_relaxed) ^ page;
  if (key != (page_of(address, page_size) | kValid)) return std::nullopt;
  return PageMapping{GuestPhys(page + address % page_size), page_size};
}

template <class Slots>
void insert_in(Slots& slots, std::uint64_t address, std::uint64_t page, std::uint64_t page_size) {
  auto& slot = slot_for(slots, address, page_size);
  slot.page.store(page, std::memory_order_relaxed);
  slot.key_xor_page.store((page_of(address, page_size) | kValid) ^ page, std::memory_order_relaxed);
}

}  // namespace

std::optional<PageMapping> TranslationCache::find(KernelVirt address) const {
  if (const auto large = find_in(large_, address.value(), kLargePiece)) return large;
  return find_in(small_, address.value(), kSmallPage);
}

void TranslationCache::insert(KernelVirt address, const PageMapping& mapping) {
  if (mapping.page_size >= kLargePiece)
    insert_in(large_, address.value(), page_of(mapping.address.value(), kLargePiece), kLargePiece);
  else
    insert_in(small_, address.value(), page_of(mapping.address.value(), kSmallPage), kSmallPage);
}

void TranslationCache::clear() {
  for (auto* slots : {&small_, &large_})
    for (Slot& slot : *slots) {
      slot.page.store(0, std::memory_order_relaxed);
      slot.key_xor_page.store(0, std::memory_order_relaxed);
    }
}

Translator::Translator(const PhysicalMemory& memory, PageTable table, std::vector<KernelRange> stable_ranges)
    : memory_(&memory),
      table_(table),
      stable_ranges_(std::move(stable_ranges)),
      cache_(std::make_unique<TranslationCache>()) {}

bool Translator::is_stable(KernelVirt address) const {
  return std::ranges::any_of(stable_ranges_,
                             [&](const KernelRange& range) { return range.contains(address); });
}

WalkResult Translator::translate(KernelVirt address) const {
  if (const auto cached = cache_->find(address)) return *cached;
  const WalkResult walked = walk_page_table(*memory_, table_, address);
  if (walked && is_stable(address)) cache_->insert(address, *walked);
  return walked;
}

bool Translator::read_bytes(KernelVirt address, std::span<std::byte> out) const {
  while (!out.empty()) {
    const WalkResult mapping = translate(address);
    if (!mapping) return false;
    const std::uint64_t left_in_page = mapping->page_size - mapping->address.value() % mapping->page_size;
    const std::size_t length = std::min<std::uint64_t>(out.size(), left_in_page);
    if (!memory_->read(mapping->address, out.first(length))) return false;
    out = out.subspan(length);
    address = address + length;
  }
  return true;
}

std::optional<std::string> Translator::read_c_string(KernelVirt address, std::size_t cap) const {
  constexpr std::size_t kPiece = 256;
  std::string text;
  while (text.size() < cap) {
    // A piece never crosses a page, so that a string at the end of the last mapped page is still read.
    const std::size_t left_in_page = kSmallPage - address.value() % kSmallPage;
    const std::size_t length = std::min({kPiece, cap - text.size(), left_in_page});
    std::array<std::byte, kPiece> piece;
    if (!read_bytes(address, std::span(piece).first(length))) return std::nullopt;
    const auto* characters = reinterpret_cast<const char*>(piece.data());
    const std::size_t used = strnlen(characters, length);
    text.append(characters, used);
    if (used < length) return text;
    address = address + length;
  }
  return text;
}

}  // namespace ktstr::introspect
