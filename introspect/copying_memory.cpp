#include "introspect/copying_memory.h"

#include <algorithm>

namespace ktstr::introspect {

const CopyingMemory::Page* CopyingMemory::page(std::uint64_t number) const {
  if (const auto found = pages_.find(number); found != pages_.end()) return found->second.get();
  if (!guest_) return nullptr;
  if (pages_.size() == max_pages_ || !take_from(budget_, kPageBytes)) {
    full_ = true;
    return nullptr;
  }
  auto copy = std::make_unique<Page>();
  if (!guest_->read(GuestPhys(number * kPageBytes), *copy)) copy.reset();
  return pages_.emplace(number, std::move(copy)).first->second.get();
}

bool CopyingMemory::read(GuestPhys address, std::span<std::byte> out) const {
  const std::scoped_lock lock(mutex_);
  while (!out.empty()) {
    const Page* copy = page(address.value() / kPageBytes);
    if (!copy) return false;
    const std::size_t within = address.value() % kPageBytes;
    const std::size_t length = std::min(out.size(), kPageBytes - within);
    std::copy_n(copy->begin() + static_cast<std::ptrdiff_t>(within), length, out.begin());
    out = out.subspan(length);
    address = address + length;
  }
  return true;
}

void CopyingMemory::seal() {
  const std::scoped_lock lock(mutex_);
  guest_ = nullptr;
}

bool CopyingMemory::is_full() const {
  const std::scoped_lock lock(mutex_);
  return full_;
}

}  // namespace ktstr::introspect
