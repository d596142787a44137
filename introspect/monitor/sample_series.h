// SampleSeries: the samples of a run in little memory, to be read from the first to the last.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <vector>

#include "engine/base/read.h"
#include "introspect/monitor/sample.h"

namespace ktstr::introspect {

/// Keeps of each sample what differs from the sample before, CPU by CPU, and gives back exactly what was
/// added. Blocks of about a megabyte begin anew, so that nothing is ever moved or copied but the last one.
/// For one thread at a time.
class SampleSeries {
 public:
  using value_type = MonitorSample;
  class Iterator;

  SampleSeries();
  SampleSeries(const std::vector<MonitorSample>& samples);
  ~SampleSeries();
  /// Copies share what is finished of the series.
  SampleSeries(const SampleSeries& other);
  SampleSeries& operator=(const SampleSeries& other);
  SampleSeries(SampleSeries&& other) noexcept;
  SampleSeries& operator=(SampleSeries&& other) noexcept;

  void add(const MonitorSample& sample);

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  /// That the samples take.
  [[nodiscard]] std::uint64_t bytes() const;

  /// One after the other. The series must neither change nor go meanwhile.
  [[nodiscard]] Iterator begin() const;
  [[nodiscard]] std::default_sentinel_t end() const { return {}; }

  /// Every `stride`-th sample, beginning with the first. Precondition: stride > 0.
  [[nodiscard]] SampleSeries thinned(std::size_t stride) const;

 private:
  struct Block;
  struct OpenBlock;
  struct Reading;
  void close();

  std::vector<std::shared_ptr<const Block>> closed_;
  std::unique_ptr<OpenBlock> open_;
  std::size_t size_ = 0;
  std::uint64_t closed_bytes_ = 0;
};

/// Holds the one sample that it stands at: what it refers to changes with each step.
class SampleSeries::Iterator {
 public:
  using value_type = MonitorSample;
  using difference_type = std::ptrdiff_t;

  explicit Iterator(const SampleSeries& series);
  ~Iterator();
  Iterator(Iterator&&) noexcept;
  Iterator& operator=(Iterator&&) noexcept;

  [[nodiscard]] const MonitorSample& operator*() const;
  [[nodiscard]] const MonitorSample* operator->() const { return &**this; }
  Iterator& operator++();
  void operator++(int) { ++*this; }
  [[nodiscard]] bool operator==(std::default_sentinel_t) const;

 private:
  std::unique_ptr<Reading> reading_;
};

inline SampleSeries::Iterator SampleSeries::begin() const {
  return Iterator(*this);
}

}  // namespace ktstr::introspect

namespace ktstr {

/// Outside it is a list of samples like any other.
template <>
inline constexpr Kind kind_of<introspect::SampleSeries> = Kind::kList;

template <>
struct CustomReader<introspect::SampleSeries> {
  static ReadStatus read(const Value& value, introspect::SampleSeries& out, const ReadPlace& place,
                         MissingMembers missing);
};

}  // namespace ktstr
