// Constants of the dump's format: schema names and the reasons a section gives for being empty. They are part
// of docs/formats/dump.md: tools compare them byte for byte.
#pragma once

#include <string_view>

#include "engine/base/format_version.h"

namespace ktstr::introspect {

/// Raised with every member that dumps get (docs/formats/dump.md). Files without a version are 1.0.
inline constexpr FormatVersion kDumpFormat{1, 2};

/// Values of a dump's first member, `schema`.
inline constexpr std::string_view kSchemaSingle = "single";      ///< one instant: FailureDumpReport
inline constexpr std::string_view kSchemaDual = "dual";          ///< an early and a late one
inline constexpr std::string_view kSchemaDegraded = "degraded";  ///< the vCPUs could not be stopped

inline constexpr std::string_view kReasonNoStructOpsLoaded = "no struct_ops programs loaded";
inline constexpr std::string_view kReasonProgAccessorUnavailable = "prog accessor unavailable";

/// Beginnings of DegradedFailureDumpReport::reason; what was measured follows.
inline constexpr std::string_view kReasonDegradedRendezvousTimeout =
    "vCPU rendezvous timed out before parked acknowledgement";
inline constexpr std::string_view kReasonDegradedKillDuringRendezvous =
    "vCPU rendezvous aborted by external kill before parked acknowledgement";

}  // namespace ktstr::introspect
