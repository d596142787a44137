// ScxExitRecord: why a sched_ext scheduler ended (struct scx_exit_info, kernel/sched/ext*).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/describe.h"

namespace ktstr::introspect {

/// Values of ScxExitRecord::source: what proves that the scx_sched still exists.
inline constexpr char kExitFromRoot[] = "scx_root";         ///< it is the root scheduler
inline constexpr char kExitFromStructOps[] = "struct_ops";  ///< a registered struct_ops map still holds it

struct ScxExitFrame {
  std::uint64_t address = 0;
  std::optional<std::string> symbol;  ///< "scx_watchdog_workfn+0x1c"; absent outside the kernel image

  static consteval auto describe() {
    using T = ScxExitFrame;
    return record("one frame of a kernel backtrace", field<&T::address>("return address"),
                  field<&T::symbol>("function and offset"));
  }
};

/// The exit information of one scheduler. The kernel fills it in steps: kind, code, message and backtrace at
/// once (scx_vexit), the dump text after that, and only then does it begin to disable the scheduler:
/// `settled` is true from there on, and all that will ever be known is in the record.
struct ScxExitRecord {
  std::uint32_t kind = 0;
  std::optional<std::string> kind_name;
  std::int64_t exit_code = 0;
  std::optional<std::int32_t> exit_cpu;
  std::optional<std::uint64_t> flags;
  std::optional<std::string> reason;
  std::optional<std::string> msg;
  std::vector<ScxExitFrame> backtrace;
  std::optional<std::string> dump;
  bool dump_truncated = false;
  bool settled = false;
  std::optional<std::string> ops_name;
  std::uint64_t sched_kva = 0;
  std::string source;

  static consteval auto describe() {
    using T = ScxExitRecord;
    return record("why a scheduler ended", field<&T::kind>("enum scx_exit_kind").from("scx_exit_info"),
                  field<&T::kind_name>("the kernel's name of the kind"),
                  field<&T::exit_code>("SCX_ECODE_* bits and the scheduler's own").from("scx_exit_info"),
                  field<&T::exit_cpu>("CPU that it ended on").from("scx_exit_info"),
                  field<&T::flags>("SCX_EFLAG_* bits").from("scx_exit_info"),
                  field<&T::reason>("the kernel's words for the kind"),
                  field<&T::msg>("what exactly went wrong"),
                  field<&T::backtrace>("where in the kernel, innermost first"),
                  field<&T::dump>("the kernel's own dump of sched_ext's state"),
                  field<&T::dump_truncated>("whether the dump was longer than what is shown"),
                  field<&T::settled>("whether the kernel has finished the record"),
                  field<&T::ops_name>("sched_ext_ops.name"), field<&T::sched_kva>("address of the scx_sched"),
                  field<&T::source>("\"scx_root\" or \"struct_ops\": through what it was found"));
  }
};

}  // namespace ktstr::introspect
