// FailureDump: a dump file's contents, whatever its schema, and the files themselves.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "engine/base/describe.h"
#include "engine/base/result.h"
#include "engine/base/value.h"
#include "introspect/dump/report.h"

namespace ktstr::introspect {

/// A dump of more values is not read: they would take some 8 GB.
inline constexpr JsonLimits kDumpLimits{.values = 100'000'000};

/// A dump that could not be taken. `reason` names the vCPUs that did not stop.
struct DegradedFailureDumpReport {
  std::string schema{kSchemaDegraded};
  std::string format = kDumpFormat.to_string();
  std::string reason;
  std::vector<std::optional<VcpuRegSnapshot>> vcpu_regs;
  bool watchpoint_hit = false;
  std::string bss_latch_state = "not_resolved";
  std::optional<std::uint32_t> exit_kind{};
  std::uint64_t elapsed_ms = 0;

  static consteval auto describe() {
    using T = DegradedFailureDumpReport;
    return record(
        "what is known when the vCPUs could not be stopped", field<&T::schema>("\"degraded\""),
        field<&T::format>("version of the dump's format, MAJOR.MINOR"),
        field<&T::reason>("why there is no dump, in a sentence that begins with a fixed text"),
        field<&T::vcpu_regs>(
            "registers by vCPU; null for one that did not stop, or whose registers can't be read"),
        field<&T::watchpoint_hit>("whether a watchpoint on the scheduler's exit was hit"),
        field<&T::bss_latch_state>(
            "the probe's latch: triggered, not_triggered, out_of_bounds or not_resolved (no probe)"),
        field<&T::exit_kind>("the scheduler's exit kind, when it could be read"),
        field<&T::elapsed_ms>("time from the trigger to giving up, ms"));
  }
};

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

using FailureDump = std::variant<FailureDumpReport, DualFailureDumpReport, DegradedFailureDumpReport>;

/// Writes a dump as JSON, in one pass and with a buffer of fixed size. The file is whole and on disk, or (on
/// an error, kIo) not there.
[[nodiscard]] Status write_dump(const std::filesystem::path& path, const FailureDump& dump);

/// Parses a dump. `note`: what was left out because a newer ktstr wrote it, in a line; empty when nothing
/// was. Errors (kCorrupt) say what is wrong and where: no JSON, no dump of ours, a schema that this version
/// does not know, a member that its format does not have, a value of a wrong kind. kUnavailable: another
/// major version of the format.
[[nodiscard]] Result<FailureDump> parse_dump(std::string_view json, std::string* note = nullptr);
/// The same from a file. Errors besides: kNotFound, kIo.
[[nodiscard]] Result<FailureDump> read_dump(const std::filesystem::path& path, std::string* note = nullptr);

}  // namespace ktstr::introspect
