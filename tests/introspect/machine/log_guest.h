// LogGuest: a synthetic guest with a kernel log of 8 records and 256 bytes.
#pragma once

#include <cstdint>
#include <string_view>

#include "tests/introspect/sched/synthetic_btf.h"
#include "tests/introspect/sched/synthetic_guest.h"

namespace ktstr::introspect::test {

class LogGuest : public SyntheticGuest {
 public:
  static constexpr std::uint32_t kCountBits = 3, kSizeBits = 8;

  LogGuest() : SyntheticGuest(log_types(), 1) {
    const auto ring = allocate(size_of("printk_ringbuffer"));
    descriptors_ = allocate(size_of("prb_desc") << kCountBits);
    infos_ = allocate(size_of("printk_info") << kCountBits);
    data_ = allocate(1U << kSizeBits);
    set(ring, "printk_ringbuffer", "desc_ring.count_bits", kCountBits);
    set(ring, "printk_ringbuffer", "desc_ring.descs", descriptors_.value());
    set(ring, "printk_ringbuffer", "desc_ring.infos", infos_.value());
    set(ring, "printk_ringbuffer", "text_data_ring.size_bits", kSizeBits);
    set(ring, "printk_ringbuffer", "text_data_ring.data", data_.value());
    ring_ = ring;
    write(add_symbol("prb", 8), ring.value());
  }

  [[nodiscard]] KernelVirt ring() const { return ring_; }

  /// A record at `index`, its text's block at position `begin`, with `state` (enum desc_state).
  void add(std::uint64_t index, std::uint64_t sequence, std::uint8_t facility, std::string_view text,
           std::uint64_t begin, std::uint64_t state = 2) {
    constexpr std::uint64_t kSize = 1U << kSizeBits;
    const auto block = align_up(8 + text.size(), 8);
    const bool wraps = begin / kSize != (begin + block - 1) / kSize;
    const auto next = wraps ? (begin + block) / kSize * kSize + block : begin + block;
    const auto descriptor = descriptors_ + index * size_of("prb_desc");
    set(descriptor, "prb_desc", "state_var.counter", static_cast<std::int64_t>(state << 62 | index));
    set(descriptor, "prb_desc", "text_blk_lpos.begin", begin);
    set(descriptor, "prb_desc", "text_blk_lpos.next", next);
    const auto info = infos_ + index * size_of("printk_info");
    set(info, "printk_info", "seq", sequence);
    const auto length = static_cast<std::uint16_t>(text.size());
    set(info, "printk_info", "text_len", length);
    set(info, "printk_info", "facility", facility);
    std::memcpy(at(data_ + (wraps ? 0 : begin % kSize) + 8), text.data(), text.size());
  }

 private:
  static std::vector<std::byte> log_types() {
    SyntheticBtf btf;
    const int counter = btf.add_struct("atomic_long_t", {{"counter", btf.s64}});
    const int place = btf.add_struct("prb_data_blk_lpos", {{"begin", btf.u64}, {"next", btf.u64}});
    btf.add_struct("prb_desc", {{"state_var", counter}, {"text_blk_lpos", place}});
    const int descriptors = btf.add_struct(
        "prb_desc_ring", {{"count_bits", btf.u32}, {"descs", btf.pointer}, {"infos", btf.pointer}});
    const int texts = btf.add_struct("prb_data_ring", {{"size_bits", btf.u32}, {"data", btf.pointer}});
    btf.add_struct("printk_ringbuffer", {{"desc_ring", descriptors}, {"text_data_ring", texts}});
    btf.add_struct(
        "printk_info",
        {{"seq", btf.u64}, {"ts_nsec", btf.u64}, {"text_len", btf.array(btf.u8, 2)}, {"facility", btf.u8}});
    return btf.bytes();
  }

  KernelVirt ring_, descriptors_, infos_, data_;
};

}  // namespace ktstr::introspect::test
