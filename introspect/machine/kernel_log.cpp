#include "introspect/machine/kernel_log.h"

#include <algorithm>
#include <optional>
#include <span>

#include "introspect/layout.h"

namespace ktstr::introspect {
namespace {

constexpr std::uint32_t kMostRecordBits = 20;
constexpr std::uint32_t kMostTextBits = 27;

struct RingLayout : LayoutOf<"printk_ringbuffer"> {
  Field<std::uint32_t> count_bits{*this, {"desc_ring.count_bits"}};
  Field<std::uint64_t> descriptors{*this, {"desc_ring.descs"}};
  Field<std::uint64_t> infos{*this, {"desc_ring.infos"}};
  Field<std::uint32_t> size_bits{*this, {"text_data_ring.size_bits"}};
  Field<std::uint64_t> data{*this, {"text_data_ring.data"}};
};

struct DescriptorLayout : LayoutOf<"prb_desc"> {
  Field<std::uint64_t> state{*this, {"state_var.counter"}};
  Field<std::uint64_t> begin{*this, {"text_blk_lpos.begin"}};
  Field<std::uint64_t> next{*this, {"text_blk_lpos.next"}};
};

struct InfoLayout : LayoutOf<"printk_info"> {
  Field<std::uint64_t> sequence{*this, {"seq"}};
  Field<std::uint16_t> text_length{*this, {"text_len"}};
  Field<std::uint8_t> facility{*this, {"facility"}};
};

/// enum desc_state, in the two highest bits of a descriptor's state_var.
bool holds_a_text(std::uint64_t state) {
  constexpr std::uint64_t kCommitted = 1, kFinalized = 2;
  return state >> 62 == kCommitted || state >> 62 == kFinalized;
}

class Log {
 public:
  static Result<Log> open(const Kernel& kernel) {
    Log log(kernel);
    KTSTR_TRY(resolve_all(kernel.btf(), {&log.ring_, &log.descriptor_, &log.info_}));
    KTSTR_TRY(log.find());
    return log;
  }

  [[nodiscard]] std::uint64_t count() const { return std::uint64_t{1} << *count_bits_; }

  /// As prb_read() of kernel/printk/printk_ringbuffer.c: the state has the record's id and is the first thing
  /// that changes when another takes its place, so that it must be the same before and after.
  [[nodiscard]] std::optional<KernelLogRecord> record(std::uint64_t index) const {
    const auto descriptor = KernelVirt{*descriptors_} + index * descriptor_.size();
    const auto info = KernelVirt{*infos_} + index * info_.size();
    const auto state = descriptor_.state.read(kernel_, descriptor);
    const auto sequence = info_.sequence.read(kernel_, info);
    const auto facility = info_.facility.read(kernel_, info);
    const auto length = info_.text_length.read(kernel_, info);
    if (!state || !holds_a_text(*state) || !sequence || !facility || !length) return std::nullopt;
    auto text = read_text(descriptor, *length);
    if (!text || descriptor_.state.read(kernel_, descriptor) != state) return std::nullopt;
    return KernelLogRecord{*sequence, *facility, std::move(*text)};
  }

 private:
  explicit Log(const Kernel& kernel) : kernel_(kernel) {}

  Status find() {
    const KernelVirt pointer = KTSTR_TRY(kernel_.address("prb"));
    const auto ring = kernel_.read<std::uint64_t>(pointer);
    const auto place = KernelVirt{ring.value_or(0)};
    count_bits_ = ring_.count_bits.read(kernel_, place);
    descriptors_ = ring_.descriptors.read(kernel_, place);
    infos_ = ring_.infos.read(kernel_, place);
    size_bits_ = ring_.size_bits.read(kernel_, place);
    data_ = ring_.data.read(kernel_, place);
    if (!ring || !count_bits_ || !descriptors_ || !infos_ || !size_bits_ || !data_)
      return Error{ErrorCode::kOutOfRange, "the kernel's log can't be read"};
    if (*count_bits_ > kMostRecordBits || *size_bits_ > kMostTextBits)
      return Error{ErrorCode::kOutOfRange, "the size of the kernel's log is not plausible"};
    return ok();
  }

  /// get_data() of kernel/printk/printk_ringbuffer.c: a block that would not fit before the end of the buffer
  /// is at its beginning; one without text has odd positions. The text is behind the descriptor's id.
  [[nodiscard]] std::optional<std::string> read_text(KernelVirt descriptor, std::uint64_t length) const {
    const auto begin = descriptor_.begin.read(kernel_, descriptor);
    const auto next = descriptor_.next.read(kernel_, descriptor);
    if (!begin || !next || (*begin & 1) != 0) return std::nullopt;
    const auto size = std::uint64_t{1} << *size_bits_;
    const bool wrapped = *begin >> *size_bits_ != *next >> *size_bits_ && *next % size != 0;
    const auto at = (wrapped ? 0 : *begin % size) + sizeof(std::uint64_t);
    if (at > size) return std::nullopt;
    std::string text(std::min({length, size - at, std::uint64_t{kMostLogText}}), '\0');
    const auto bytes = std::as_writable_bytes(std::span(text));
    return kernel_.read_bytes(KernelVirt{*data_} + at, bytes) ? std::optional(text) : std::nullopt;
  }

  const Kernel& kernel_;
  RingLayout ring_;
  DescriptorLayout descriptor_;
  InfoLayout info_;
  std::optional<std::uint32_t> count_bits_, size_bits_;
  std::optional<std::uint64_t> descriptors_, infos_, data_;
};

}  // namespace

Result<std::vector<KernelLogRecord>> find_log_records(const Kernel& kernel, std::string_view beginning) {
  const auto log = KTSTR_TRY(Log::open(kernel));
  std::vector<KernelLogRecord> found;
  std::size_t kernels = 0, programs = 0;
  for (std::uint64_t index = 0; index < log.count(); ++index) {
    auto record = log.record(index);
    if (!record || !record->text.starts_with(beginning)) continue;
    auto& kept = record->is_kernels() ? kernels : programs;
    if (kept++ < kMostLogRecords) found.push_back(std::move(*record));
  }
  std::ranges::sort(found, {}, &KernelLogRecord::sequence);
  return found;
}

}  // namespace ktstr::introspect
