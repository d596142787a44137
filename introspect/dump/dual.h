// DualFailureDumpReport: one guest at two instants, before and at a failure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "introspect/dump/report.h"

namespace ktstr::introspect {

/// `early` is absent when nothing asked for it in time; `early_skipped_reason` then says why.
struct DualFailureDumpReport {
  std::string schema{kSchemaDual};
  std::string format = kDumpFormat.to_string();
  std::optional<FailureDumpReport> early{};
  FailureDumpReport late;
  std::uint64_t early_max_age_jiffies = 0;
  std::uint64_t early_threshold_jiffies = 0;
  std::optional<std::string> early_skipped_reason{};
};

template <>
inline constexpr bool is_sparse<DualFailureDumpReport> = true;

}  // namespace ktstr::introspect

namespace ktstr {
template <>
inline constexpr auto describe<introspect::DualFailureDumpReport> = [] {
  using T = introspect::DualFailureDumpReport;
  return record<T>(
      "DualFailureDumpReport", "one guest at two instants", field("schema", &T::schema, "\"dual\""),
      field("format", &T::format, "version of the dump's format, MAJOR.MINOR"),
      field("early", &T::early, "before the failure"), field("late", &T::late, "at the failure"),
      field("early_max_age_jiffies", &T::early_max_age_jiffies,
            "how long the task that asked for the early one had been runnable, jiffies"),
      field("early_threshold_jiffies", &T::early_threshold_jiffies, "the age that asks for it, jiffies"),
      field("early_skipped_reason", &T::early_skipped_reason, "why there is no early one"));
}();
}  // namespace ktstr
