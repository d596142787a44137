// GuestRam: a little memory of a guest, handed out piece by piece.
#pragma once

#include <array>
#include <atomic>
#include <cstdlib>
#include <vector>

#include "vmm/kvm/guest_memory.h"

namespace ktstr::vmm::kvm::test {

class GuestRam {
 public:
  static constexpr GuestPhys kBase{0x100000};

  explicit GuestRam(std::size_t pages = 256)
      : pages_(pages), regions_{{{kBase, std::as_writable_bytes(std::span(pages_))}}} {}
  GuestRam(const GuestRam&) = delete;
  GuestRam& operator=(const GuestRam&) = delete;

  [[nodiscard]] const GuestMemory& memory() const { return memory_; }
  [[nodiscard]] GuestPhys end() const { return kBase + regions_[0].bytes.size(); }
  [[nodiscard]] GuestPhys allocate(std::uint64_t bytes, std::uint64_t alignment = 16) {
    used_ = (used_ + alignment - 1) / alignment * alignment;
    const auto address = kBase + used_;
    used_ += bytes;
    if (used_ > regions_[0].bytes.size()) std::abort();
    return address;
  }
  [[nodiscard]] std::span<std::byte> bytes(GuestPhys address, std::uint64_t count) const {
    return memory_.slice(address, count).value();
  }
  /// As another CPU sees and changes it.
  template <class T>
  [[nodiscard]] std::atomic_ref<T> at(GuestPhys address) const {
    return std::atomic_ref<T>(*reinterpret_cast<T*>(bytes(address, sizeof(T)).data()));
  }

 private:
  struct alignas(4096) Page {
    std::array<std::byte, 4096> bytes{};
  };
  std::vector<Page> pages_;
  std::array<MemoryRegion, 1> regions_;
  GuestMemory memory_{regions_};
  std::uint64_t used_ = 0;
};

}  // namespace ktstr::vmm::kvm::test
