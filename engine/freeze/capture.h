// What asks for a dump, and what comes of it. Triggers make a CaptureRequest and know nothing of capturing.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "engine/base/result.h"
#include "engine/base/units.h"
#include "introspect/dump/dump.h"

namespace ktstr::engine {

/// A wish for a dump. `name` is what the user called it (empty: nobody named it).
struct CaptureRequest {
  introspect::DumpCause cause = introspect::DumpCause::kRequested;
  std::string name;
  std::string detail;  ///< one line: "exit_kind is ERROR_STALL (1026)"
  Duration elapsed;    ///< since the machine's start

  /// Whether the machine has ended: nothing is stopped nor set going, its memory is as the guest left it.
  [[nodiscard]] bool of_ended_machine() const { return cause == introspect::DumpCause::kGuestPanic; }
};

/// A dump in memory. `thaw_problem`: the guest could not be set going again, and the run is lost.
struct Capture {
  introspect::FailureDump dump;
  Duration frozen;  ///< from the request to stop until the guest ran again
  std::optional<Error> thaw_problem{};
};

}  // namespace ktstr::engine
