#include "introspect/monitor/sample_series.h"

#include <span>
#include <utility>

#include "engine/base/delta_code.h"

namespace ktstr::introspect {
namespace {

/// A block's first sample is whole: of 250 CPUs it takes 30 KB.
constexpr std::size_t kBlockBytes = 1 << 20;

}  // namespace

struct SampleSeries::Block {
  std::vector<std::byte> bytes;
  std::size_t samples = 0;
};

struct SampleSeries::OpenBlock {
  Block block;
  Remembered<MonitorSample> last;
};

struct SampleSeries::Reading {
  const SampleSeries& series;
  std::size_t block = 0;            ///< the one after the present
  std::size_t samples = 0;          ///< of the present block that are still to come
  std::span<const std::byte> rest;  ///< their bytes
  Remembered<MonitorSample> last;
  MonitorSample sample;
  bool at_end = false;

  void next() {
    while (samples == 0)
      if (!enter_block()) return static_cast<void>(at_end = true);
    rest = read_delta(rest, last, sample);
    --samples;
  }
  bool enter_block() {
    const Block* entered = nullptr;
    if (block < series.closed_.size())
      entered = series.closed_[block].get();
    else if (block == series.closed_.size() && series.open_)
      entered = &series.open_->block;
    if (!entered) return false;
    ++block;
    rest = entered->bytes;
    samples = entered->samples;
    last = {};
    return true;
  }
};

SampleSeries::SampleSeries() = default;
SampleSeries::~SampleSeries() = default;
SampleSeries::SampleSeries(SampleSeries&& other) noexcept
    : closed_(std::move(other.closed_)),
      open_(std::move(other.open_)),
      size_(std::exchange(other.size_, 0)),
      closed_bytes_(std::exchange(other.closed_bytes_, 0)) {}
SampleSeries& SampleSeries::operator=(SampleSeries&& other) noexcept {
  closed_ = std::exchange(other.closed_, {});
  open_ = std::move(other.open_);
  size_ = std::exchange(other.size_, 0);
  closed_bytes_ = std::exchange(other.closed_bytes_, 0);
  return *this;
}

SampleSeries::SampleSeries(const std::vector<MonitorSample>& samples) {
  for (const auto& sample : samples) add(sample);
}

SampleSeries::SampleSeries(const SampleSeries& other)
    : closed_(other.closed_), size_(other.size_), closed_bytes_(other.bytes()) {
  if (other.open_) closed_.push_back(std::make_shared<Block>(other.open_->block));
}
SampleSeries& SampleSeries::operator=(const SampleSeries& other) {
  return *this = SampleSeries(other);
}

void SampleSeries::add(const MonitorSample& sample) {
  if (!open_) open_ = std::make_unique<OpenBlock>();
  write_delta(sample, open_->last, open_->block.bytes);
  ++open_->block.samples;
  ++size_;
  if (open_->block.bytes.size() >= kBlockBytes) close();
}

void SampleSeries::close() {
  open_->block.bytes.shrink_to_fit();
  closed_bytes_ += open_->block.bytes.size();
  closed_.push_back(std::make_shared<Block>(std::move(open_->block)));
  open_.reset();
}

std::uint64_t SampleSeries::bytes() const {
  return closed_bytes_ + (open_ ? open_->block.bytes.size() : 0);
}

SampleSeries SampleSeries::thinned(std::size_t stride) const {
  SampleSeries kept;
  std::size_t index = 0;
  for (const auto& sample : *this)
    if (index++ % stride == 0) kept.add(sample);
  return kept;
}

SampleSeries::Iterator::Iterator(const SampleSeries& series)
    : reading_(new Reading{.series = series, .rest = {}, .last = {}, .sample = {}}) {
  reading_->next();
}
SampleSeries::Iterator::~Iterator() = default;
SampleSeries::Iterator::Iterator(Iterator&&) noexcept = default;
SampleSeries::Iterator& SampleSeries::Iterator::operator=(Iterator&&) noexcept = default;

const MonitorSample& SampleSeries::Iterator::operator*() const {
  return reading_->sample;
}
SampleSeries::Iterator& SampleSeries::Iterator::operator++() {
  reading_->next();
  return *this;
}
bool SampleSeries::Iterator::operator==(std::default_sentinel_t) const {
  return reading_->at_end;
}

}  // namespace ktstr::introspect

namespace ktstr {

ReadStatus CustomReader<introspect::SampleSeries>::read(const Value& value, introspect::SampleSeries& out,
                                                        const ReadPlace& place, MissingMembers missing) {
  std::vector<introspect::MonitorSample> samples;
  auto status = ktstr::read(value, samples, place, missing);
  if (!status) out = introspect::SampleSeries(samples);
  return status;
}

}  // namespace ktstr
