// DumpOrigin: why and when a dump was taken, and how long the guest stood still for it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "engine/base/describe.h"

namespace ktstr::introspect {

/// What asked for a dump.
enum class DumpCause {
  kRequested,          ///< the scenario's op, or a person
  kSchedulerError,     ///< the scheduler's exit kind turned to an error
  kSchedulerVanished,  ///< the scheduler went although nobody had asked it to
  kGuestPanic,         ///< the guest's kernel panicked: its memory as it left it
};

/// Not part of what was read from memory.
struct DumpOrigin {
  DumpCause cause = DumpCause::kRequested;
  std::string name;
  std::string detail;
  std::string kernel;
  std::uint64_t elapsed_ns = 0;
  std::uint64_t stop_ns = 0;
  std::optional<std::uint64_t> dump_ns{};
  std::uint64_t frozen_ns = 0;

  static consteval auto describe() {
    using T = DumpOrigin;
    return record("why and when the dump was taken",
                  field<&T::cause>("requested, scheduler_error, scheduler_vanished or guest_panic"),
                  field<&T::name>("what the scenario called it; empty when nobody named it"),
                  field<&T::detail>("what was seen, in one line"), field<&T::kernel>("the kernel's banner"),
                  field<&T::elapsed_ns>("time since the machine's start, ns"),
                  field<&T::stop_ns>("from the wish to stop until every vCPU's registers were there, ns"),
                  field<&T::dump_ns>("reading memory while the guest stood still, ns"),
                  field<&T::frozen_ns>("from the wish to stop until the guest ran again, ns"));
  }
};

}  // namespace ktstr::introspect

namespace ktstr {
template <>
inline constexpr auto describe<introspect::DumpCause> = enumeration<introspect::DumpCause>(
    "dump cause", {
                      {"requested", introspect::DumpCause::kRequested},
                      {"scheduler_error", introspect::DumpCause::kSchedulerError},
                      {"scheduler_vanished", introspect::DumpCause::kSchedulerVanished},
                      {"guest_panic", introspect::DumpCause::kGuestPanic},
                  });
}  // namespace ktstr
