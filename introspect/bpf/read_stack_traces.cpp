// STACK_TRACE (kernel/bpf/stackmap.c).
#include <algorithm>
#include <cstring>

#include "introspect/bpf/read_map.h"

namespace ktstr::introspect {
namespace {

constexpr std::uint32_t kBuildIdFlag = 1U << 5;  // BPF_F_STACK_BUILD_ID
constexpr std::uint32_t kBuildIdBytes = 32;      // sizeof(struct bpf_stack_build_id), ABI

class BucketReader {
 public:
  BucketReader(const ReadContext& context, const BpfStackTraceLayout& layout, StackTraceContents& contents)
      : context_(context),
        layout_(layout),
        contents_(contents),
        frame_bytes_(context.map.map_flags & kBuildIdFlag ? kBuildIdBytes : sizeof(std::uint64_t)),
        bytes_left_(context.limits.bytes) {}

  /// Whether there is no room for more.
  [[nodiscard]] bool is_full() const { return full_; }

  void take(std::uint32_t id, KernelVirt bucket) {
    if (!context_.plausible(bucket)) return contents_.marks.refused("a bucket that is no kernel pointer");
    if (!header_.capture(context_.kernel, layout_.bucket, bucket))
      return contents_.marks.missed("a bucket in memory that can't be read");
    StackTraceBucket trace;
    trace.bucket_id = id;
    trace.nr = *layout_.bucket.nr.read(header_);
    trace.hash = *layout_.bucket.hash.read(header_);
    if (std::uint64_t{trace.nr} * frame_bytes_ > context_.map.value_size)
      return contents_.marks.refused("a bucket with more frames than a trace may have");
    const std::uint32_t frames = std::min(trace.nr, context_.limits.stack_trace_pcs);
    if (frames < trace.nr) contents_.marks.cut("more frames than the cap");
    const std::size_t data_bytes = std::size_t{frames} * frame_bytes_;
    if (sizeof(trace) + 2 * data_bytes > bytes_left_) {
      full_ = true;
      return contents_.marks.cut("more bytes than the cap");
    }
    bytes_left_ -= sizeof(trace) + 2 * data_bytes;
    trace.data.resize(data_bytes);
    if (!context_.kernel.read_bytes(layout_.bucket.data.address(bucket), trace.data))
      return contents_.marks.missed("a trace in memory that can't be read");
    if (frame_bytes_ == sizeof(std::uint64_t)) {
      trace.pcs.resize(frames);
      std::memcpy(trace.pcs.data(), trace.data.data(), trace.data.size());
    }
    contents_.buckets.push_back(std::move(trace));
  }

 private:
  const ReadContext& context_;
  const BpfStackTraceLayout& layout_;
  StackTraceContents& contents_;
  std::uint32_t frame_bytes_;
  std::uint64_t bytes_left_;
  bool full_ = false;
  StructBytes header_;
};

}  // namespace

Result<StackTraceContents> read_stack_traces(const ReadContext& context) {
  const auto& [kernel, layouts, map, limits] = context;
  const BpfStackTraceLayout layout = KTSTR_TRY(layouts.stack_trace);
  const auto buckets = layout.map.n_buckets.read(kernel, map.address);
  if (!buckets) return map_unreadable("struct bpf_stack_map");
  if (*buckets != bucket_count_for(map.max_entries))
    return corrupted(std::to_string(*buckets) + " buckets for " + std::to_string(map.max_entries) +
                     " entries");
  StackTraceContents contents;
  contents.n_buckets = *buckets;
  const std::uint32_t scanned = std::min(*buckets, limits.stack_buckets);
  if (scanned < *buckets) contents.marks.cut("more buckets than the cap");
  BucketReader reader(context, layout, contents);
  for (std::uint32_t id = 0; id < scanned && !reader.is_full(); ++id) {
    const auto bucket =
        kernel.read<KernelVirt>(layout.map.buckets.address(map.address) + id * std::uint64_t{8});
    if (!bucket)
      contents.marks.missed("a slot in memory that can't be read");
    else if (!bucket->is_null())
      reader.take(id, *bucket);
  }
  return contents;
}

}  // namespace ktstr::introspect
