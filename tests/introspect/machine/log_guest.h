// LogGuest: a synthetic guest with a kernel log, of 8 records and 256 bytes unless asked for more.
#pragma once

#include <cstdint>
#include <string_view>

#include "tests/introspect/sched/synthetic_btf.h"
#include "tests/introspect/sched/synthetic_guest.h"

namespace ktstr::introspect::test {

class LogGuest : public SyntheticGuest {
 public:
  explicit LogGuest(std::uint32_t count_bits = 3, std::uint32_t size_bits = 8)
      : SyntheticGuest(log_types(), 1), size_bits_(size_bits) {
    const auto ring = allocate(size_of("printk_ringbuffer"));
    descriptors_ = allocate(size_of("prb_desc") << count_bits);
    infos_ = allocate(size_of("printk_info") << count_bits);
    data_ = allocate(std::size_t{1} << size_bits);
    set(ring, "printk_ringbuffer", "desc_ring.count_bits", count_bits);
    set(ring, "printk_ringbuffer", "desc_ring.descs", descriptors_.value());
    set(ring, "printk_ringbuffer", "desc_ring.infos", infos_.value());
    set(ring, "printk_ringbuffer", "text_data_ring.size_bits", size_bits);
    set(ring, "printk_ringbuffer", "text_data_ring.data", data_.value());
    ring_ = ring;
    write(add_symbol("prb", 8), ring.value());
  }

  [[nodiscard]] KernelVirt ring() const { return ring_; }

  /// A record at `index`, its text's block at position `begin`, with `state` (enum desc_state). Its id is its
  /// sequence number, so that a state tells whose it is.
  void add(std::uint64_t index, std::uint64_t sequence, std::uint8_t facility, std::string_view text,
           std::uint64_t begin, std::uint64_t state = 2) {
    const std::uint64_t size = std::uint64_t{1} << size_bits_;
    const auto block = align_up(8 + text.size(), 8);
    const bool wraps = begin / size != (begin + block - 1) / size;
    const auto next = wraps ? (begin + block) / size * size + block : begin + block;
    const auto descriptor = descriptors_ + index * size_of("prb_desc");
    set(descriptor, "prb_desc", "state_var.counter", static_cast<std::int64_t>(state << 62 | sequence));
    set(descriptor, "prb_desc", "text_blk_lpos.begin", begin);
    set(descriptor, "prb_desc", "text_blk_lpos.next", next);
    const auto info = infos_ + index * size_of("printk_info");
    set(info, "printk_info", "seq", sequence);
    const auto length = static_cast<std::uint16_t>(text.size());
    set(info, "printk_info", "text_len", length);
    set(info, "printk_info", "facility", facility);
    std::memcpy(at(data_ + (wraps ? 0 : begin % size) + 8), text.data(), text.size());
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

  std::uint32_t size_bits_;
  KernelVirt ring_, descriptors_, infos_, data_;
};

}  // namespace ktstr::introspect::test
