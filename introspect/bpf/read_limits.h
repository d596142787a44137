// How much of a map is read at most, and how whole it was.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace ktstr::introspect {

/// Caps on what one map may cost, whatever sizes the guest claims. Reaching one sets ReadMarks::truncated.
struct MapReadLimits {
  std::uint32_t hash_entries = 65536;     ///< hash tables, local storage, tries
  std::uint32_t array_keys = 65536;       ///< ARRAY, QUEUE, STACK
  std::uint32_t per_cpu_keys = 4096;      ///< PERCPU_ARRAY
  std::uint32_t fd_array_slots = 65536;   ///< slots looked at
  std::uint32_t fd_array_indices = 4096;  ///< populated slots listed
  std::uint32_t stack_buckets = 65536;
  std::uint32_t stack_trace_pcs = 127;  ///< of one trace (PERF_MAX_STACK_DEPTH)
  std::uint32_t ring_records = 1024;
  std::uint64_t bytes = 64U << 20;  ///< of all keys and values of a map together
};

/// What kept a read from being whole. Unreadable is not empty, and corrupt is not shown.
struct ReadMarks {
  bool truncated = false;        ///< a cap was reached: there is more
  std::uint64_t unreadable = 0;  ///< entries, slots or buckets in memory that can't be read
  std::uint64_t corrupt = 0;     ///< entries, slots or buckets that contradict themselves; left out
  std::string reason;            ///< what the first of them was; "" when whole

  [[nodiscard]] bool whole() const { return !truncated && unreadable == 0 && corrupt == 0; }

  void cut(std::string_view why) { truncated = true, keep_first(why); }
  void missed(std::string_view why, std::uint64_t count = 1) { unreadable += count, keep_first(why); }
  void refused(std::string_view why, std::uint64_t count = 1) { corrupt += count, keep_first(why); }

 private:
  void keep_first(std::string_view why) {
    if (reason.empty()) reason = why;
  }
};

}  // namespace ktstr::introspect
