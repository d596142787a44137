// DualFailureDumpReport: one guest at two instants, before and at a failure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "engine/base/describe.h"
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

  static consteval auto describe() {
    using T = DualFailureDumpReport;
    return record("one guest at two instants", field<&T::schema>("\"dual\""),
                  field<&T::format>("version of the dump's format, MAJOR.MINOR"),
                  field<&T::early>("before the failure"), field<&T::late>("at the failure"),
                  field<&T::early_max_age_jiffies>(
                      "how long the task that asked for the early one had been runnable, jiffies"),
                  field<&T::early_threshold_jiffies>("the age that asks for it, jiffies"),
                  field<&T::early_skipped_reason>("why there is no early one"));
  }
};

template <>
inline constexpr bool is_sparse<DualFailureDumpReport> = true;

}  // namespace ktstr::introspect
