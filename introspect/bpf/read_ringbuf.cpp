// RINGBUF and USER_RINGBUF (kernel/bpf/ringbuf.c). Both keep their records alike; only who writes differs.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>

#include "introspect/bpf/read_map.h"

namespace ktstr::introspect {
namespace {

// include/uapi/linux/bpf.h
constexpr std::uint32_t kBusyBit = 1U << 31;
constexpr std::uint32_t kDiscardBit = 1U << 30;
constexpr std::uint64_t kHeaderBytes = 8;

class RecordWalk {
 public:
  RecordWalk(const ReadContext& context, KernelVirt data, RingbufContents& contents)
      : context_(context), data_(data), contents_(contents), bytes_left_(context.limits.bytes) {}

  void run(std::uint64_t position) {
    while (position != contents_.positions.producer_pos) {
      if (contents_.records.size() == context_.limits.ring_records)
        return contents_.marks.cut("more records than the cap");
      const auto next = take(position);
      if (!next) return;
      position = *next;
    }
  }

 private:
  /// The position after the record at `position`; nullopt ends the walk.
  std::optional<std::uint64_t> take(std::uint64_t position) {
    const KernelVirt place = data_ + (position & (contents_.positions.capacity - 1));
    const auto header = context_.kernel.read<std::uint32_t>(place);
    if (!header) {
      contents_.marks.missed("a record in memory that can't be read");
      return std::nullopt;
    }
    const std::uint32_t length = *header & ~(kBusyBit | kDiscardBit);
    const std::uint64_t size = padded(length + kHeaderBytes);
    if (size > contents_.positions.producer_pos - position) {
      contents_.marks.refused("a record that reaches past the producer");
      return std::nullopt;
    }
    RingbufRecord record{position, length, (*header & kBusyBit) != 0, (*header & kDiscardBit) != 0, {}};
    if (!record.busy && !record.discarded && !read_payload(place + kHeaderBytes, record)) return std::nullopt;
    contents_.records.push_back(std::move(record));
    return position + size;
  }

  /// The data pages are mapped twice in a row, so that a record may go on past the end.
  bool read_payload(KernelVirt place, RingbufRecord& record) {
    if (record.length > bytes_left_) {
      contents_.marks.cut("more bytes than the cap");
      return false;
    }
    bytes_left_ -= record.length;
    record.bytes.resize(record.length);
    if (context_.kernel.read_bytes(place, record.bytes)) return true;
    contents_.marks.missed("a record in memory that can't be read");
    return false;
  }

  const ReadContext& context_;
  KernelVirt data_;
  RingbufContents& contents_;
  std::uint64_t bytes_left_;
};

}  // namespace

Result<RingbufContents> read_ringbuf(const ReadContext& context) {
  const auto& [kernel, layouts, map, limits] = context;
  const BpfRingbufLayout layout = KTSTR_TRY(layouts.ringbuf);
  const auto ring = layout.map.buffer.read(kernel, map.address);
  if (!ring) return map_unreadable("struct bpf_ringbuf_map");
  if (!context.plausible(*ring)) return corrupted("the buffer is at no kernel address");
  // The positions are on pages of their own, apart from each other: field by field. The consumer's first, so
  // that it is never seen past a producer read earlier.
  const auto consumer = layout.buffer.consumer_pos.read(kernel, *ring);
  const auto producer = layout.buffer.producer_pos.read(kernel, *ring);
  const auto mask = layout.buffer.mask.read(kernel, *ring);
  if (!consumer || !producer || !mask) return map_unreadable("struct bpf_ringbuf");
  if (*mask + 1 != map.max_entries || !std::has_single_bit(*mask + 1))
    return corrupted(fmt::format("a mask of {} for {} bytes", *mask, map.max_entries));
  RingbufContents contents{
      {*mask + 1, *consumer, *producer, layout.buffer.pending_pos.read(kernel, *ring), *producer - *consumer},
      {},
      {}};
  const bool overwrites = layout.buffer.overwrite_mode.read(kernel, *ring).value_or(0) != 0;
  const std::uint64_t oldest =
      overwrites ? std::max(*consumer, layout.buffer.overwrite_pos.read(kernel, *ring).value_or(*consumer))
                 : *consumer;
  if (*producer - oldest > contents.positions.capacity || oldest % 8 != 0)
    contents.marks.refused("the positions contradict each other");
  else
    RecordWalk(context, layout.buffer.data.address(*ring), contents).run(oldest);
  return contents;
}

}  // namespace ktstr::introspect
