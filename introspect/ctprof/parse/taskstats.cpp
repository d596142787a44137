#include "introspect/ctprof/taskstats.h"

#include <cstring>

#include "introspect/ctprof/metrics.h"
#include "introspect/ctprof/parse/decode.h"

namespace ktstr::introspect::ctprof {
namespace {

// include/uapi/linux/taskstats.h. New versions only append; but version 15 put each delay's longest and
// shortest behind its total, and version 16 moved them to the end, leaving the length as it was.
constexpr std::uint16_t kMisplacedVersion = 15;
constexpr std::size_t kExtremes = 432;  ///< where version 16 has them, 16 bytes for each delay
constexpr std::size_t kExtremesSize = 16;
constexpr std::size_t kTotals[] = {24,  40,  56,  320,
                                   336, 360, 408, 424};  ///< of the delays, in the same order

/// Where version 15 has what version 16 has at `place`.
std::size_t place_in_version_15(std::size_t place) {
  const bool extreme = place >= kExtremes;
  const std::size_t delay = (place - kExtremes) / kExtremesSize;
  const std::size_t before = extreme ? kTotals[delay] : place;
  std::size_t shift = 0;
  for (const auto total : kTotals)
    if (total < before) shift += kExtremesSize;
  return extreme ? before + shift + sizeof(std::uint64_t) + (place - kExtremes) % kExtremesSize
                 : place + shift;
}

template <class T>
std::optional<T> value_at(std::span<const std::byte> bytes, std::size_t place) {
  if (bytes.size() < sizeof(T) || place > bytes.size() - sizeof(T)) return std::nullopt;
  T value{};
  std::memcpy(&value, bytes.data() + place, sizeof(value));
  return value;
}

bool counted(Gate gate, const TaskstatsGates& gates) {
  return gate == Gate::kCpuDelay ? gates.cpu_delay : gate == Gate::kDelays ? gates.delays : gates.xacct;
}

/// Whether 0 stands for nothing at all: the shortest of no delays, and the memory of a thread of the kernel's
/// own (xacct_add_tsk() of kernel/tsacct.c).
bool zero_is_absent(const Metric& metric) {
  const std::size_t place = metric.source.place;
  const bool is_shortest = place >= kExtremes && (place - kExtremes) % kExtremesSize != 0;
  return is_shortest || metric.gate == Gate::kXacct;
}

}  // namespace

void parse_taskstats(std::span<const std::byte> bytes, const TaskstatsGates& gates, ThreadRecord& record) {
  const bool misplaced = value_at<std::uint16_t>(bytes, 0) == kMisplacedVersion;
  for (const auto* metric : SourceIndex::of(SourceFile::kTaskstats).all()) {
    const std::size_t place = metric->source.place;
    auto value = value_at<std::uint64_t>(bytes, misplaced ? place_in_version_15(place) : place);
    if (!counted(metric->gate, gates) || (zero_is_absent(*metric) && value == 0u)) value.reset();
    assign(record, *metric, value);
  }
}

}  // namespace ktstr::introspect::ctprof
