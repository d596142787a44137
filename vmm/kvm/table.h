// KvmTable: one of KVM's variable-length arguments, a header with a count and the entries behind it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <span>

namespace ktstr::vmm::kvm {

/// `count`: the header's member that tells how many entries follow.
template <class Header, class Entry>
class KvmTable {
 public:
  KvmTable(std::uint32_t Header::*count, std::size_t entries)
      : storage_(static_cast<Header*>(std::calloc(1, sizeof(Header) + entries * sizeof(Entry))), &std::free),
        count_(count) {
    storage_.get()->*count = static_cast<std::uint32_t>(entries);
  }
  KvmTable(std::uint32_t Header::*count, std::span<const Entry> entries) : KvmTable(count, entries.size()) {
    if (!entries.empty()) std::memcpy(this->entries().data(), entries.data(), entries.size_bytes());
  }

  [[nodiscard]] Header* get() { return storage_.get(); }
  /// As many as the count says, which a request may have lowered.
  [[nodiscard]] std::span<Entry> entries() {
    return {reinterpret_cast<Entry*>(storage_.get() + 1), storage_.get()->*count_};
  }

 private:
  std::unique_ptr<Header, decltype(&std::free)> storage_;
  std::uint32_t Header::*count_;
};

}  // namespace ktstr::vmm::kvm
