#include "introspect/span_memory.h"

#include <algorithm>

#include "engine/base/check.h"
#include "introspect/shared_copy.h"

namespace ktstr::introspect {

SpanMemory::SpanMemory(std::vector<MemorySpan> spans) : spans_(std::move(spans)) {
  std::erase_if(spans_, [](const MemorySpan& span) { return span.bytes.empty(); });
  std::ranges::sort(spans_, {}, &MemorySpan::base);
  for (std::size_t i = 0; i < spans_.size(); ++i) {
    const std::uint64_t room =
        i + 1 < spans_.size() ? spans_[i + 1].base - spans_[i].base : ~spans_[i].base.value();
    KTSTR_CHECK(spans_[i].bytes.size() <= room);
  }
}

bool SpanMemory::read(GuestPhys address, std::span<std::byte> out) const {
  auto span = std::ranges::upper_bound(spans_, address, {}, &MemorySpan::base);
  if (span == spans_.begin()) return out.empty();
  --span;
  while (!out.empty()) {
    if (span == spans_.end() || address < span->base) return false;
    const std::uint64_t offset = address - span->base;
    if (offset >= span->bytes.size()) return false;
    const std::size_t length = std::min<std::uint64_t>(out.size(), span->bytes.size() - offset);
    copy_shared(out.first(length), span->bytes.data() + offset);
    out = out.subspan(length);
    address = address + length;
    ++span;
  }
  return true;
}

GuestPhys SpanMemory::end() const {
  return spans_.empty() ? GuestPhys{} : spans_.back().base + spans_.back().bytes.size();
}

}  // namespace ktstr::introspect
