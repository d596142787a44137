#include "vmm/large_buffer.h"

#include <sys/mman.h>

#include <cstdint>

namespace ktstr::vmm {
namespace {

constexpr std::size_t kHugePage = 2 * 1024 * 1024;

}  // namespace

Result<LargeBuffer> LargeBuffer::create(std::size_t bytes) {
  const auto mapped = bytes + kHugePage;  // room to begin on a huge page
  void* base =
      ::mmap(nullptr, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (base == MAP_FAILED) return system_error("map a buffer");
  LargeBuffer buffer;
  buffer.mapping_ = {static_cast<std::byte*>(base), mapped};
  const auto offset = (kHugePage - reinterpret_cast<std::uintptr_t>(base) % kHugePage) % kHugePage;
  buffer.bytes_ = buffer.mapping_.subspan(offset, bytes);
  // Without huge pages it is slower, and that is all.
  ::madvise(buffer.bytes_.data(), bytes, MADV_HUGEPAGE);
  return buffer;
}

LargeBuffer::~LargeBuffer() {
  if (!mapping_.empty()) ::munmap(mapping_.data(), mapping_.size());
}

}  // namespace ktstr::vmm
