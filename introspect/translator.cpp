#include "introspect/translator.h"

#include <algorithm>
#include <cstring>

#include "engine/base/utf8.h"

namespace ktstr::introspect {

namespace {

constexpr std::uint64_t kSmallPage = 1U << 12;
constexpr std::uint64_t kLargePiece = 1U << 21;
constexpr std::uint64_t kValid = 1;  // set in every stored key, so that an empty slot matches nothing

template <std::uint64_t kPageSize>
constexpr std::uint64_t page_of(std::uint64_t address) {
  return address & ~(kPageSize - 1);
}

template <std::uint64_t kPageSize, class Slots>
auto& slot_for(Slots& slots, std::uint64_t address) {
  return slots[address / kPageSize % slots.size()];
}

template <std::uint64_t kPageSize, class Slots>
std::optional<PageMapping> find_in(const Slots& slots, std::uint64_t address) {
  const auto& slot = slot_for<kPageSize>(slots, address);
  const std::uint64_t page = slot.page.load(std::memory_order_relaxed);
  const std::uint64_t key = slot.key_xor_page.load(std::memory_order_relaxed) ^ page;
  if (key != (page_of<kPageSize>(address) | kValid)) return std::nullopt;
  return PageMapping{GuestPhys(page + address % kPageSize), kPageSize};
}

template <std::uint64_t kPageSize, class Slots>
void insert_in(Slots& slots, std::uint64_t address, std::uint64_t physical) {
  auto& slot = slot_for<kPageSize>(slots, address);
  const std::uint64_t page = page_of<kPageSize>(physical);
  slot.page.store(page, std::memory_order_relaxed);
  slot.key_xor_page.store((page_of<kPageSize>(address) | kValid) ^ page, std::memory_order_relaxed);
}

}  // namespace

std::optional<PageMapping> TranslationCache::find(KernelVirt address) const {
  if (const auto large = find_in<kLargePiece>(large_, address.value())) return large;
  return find_in<kSmallPage>(small_, address.value());
}

void TranslationCache::insert(KernelVirt address, const PageMapping& mapping) {
  if (mapping.page_size >= kLargePiece)
    insert_in<kLargePiece>(large_, address.value(), mapping.address.value());
  else
    insert_in<kSmallPage>(small_, address.value(), mapping.address.value());
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
    const std::uint64_t offset = mapping->address.value() & (mapping->page_size - 1);
    const std::uint64_t left_in_page = mapping->page_size - offset;
    const std::size_t length = std::min<std::uint64_t>(out.size(), left_in_page);
    if (!memory_->read(mapping->address, out.first(length))) return false;
    out = out.subspan(length);
    address = address + length;
  }
  return true;
}

std::optional<std::string> Translator::read_c_bytes(KernelVirt address, std::size_t cap) const {
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

std::optional<std::string> Translator::read_c_string(KernelVirt address, std::size_t cap) const {
  const auto bytes = read_c_bytes(address, cap);
  return bytes ? std::optional(valid_utf8(*bytes)) : std::nullopt;
}

}  // namespace ktstr::introspect
