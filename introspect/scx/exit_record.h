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
};

}  // namespace ktstr::introspect

namespace ktstr {
template <>
inline constexpr auto describe<introspect::ScxExitFrame> = [] {
  using T = introspect::ScxExitFrame;
  return record<T>("ScxExitFrame", "one frame of a kernel backtrace",
                   field("address", &T::address, "return address"),
                   field("symbol", &T::symbol, "function and offset"));
}();

template <>
inline constexpr auto describe<introspect::ScxExitRecord> = [] {
  using T = introspect::ScxExitRecord;
  return record<T>(
      "ScxExitRecord", "why a scheduler ended", field("kind", &T::kind, "enum scx_exit_kind"),
      field("kind_name", &T::kind_name, "the kernel's name of the kind"),
      field("exit_code", &T::exit_code, "SCX_ECODE_* bits and the scheduler's own"),
      field("exit_cpu", &T::exit_cpu, "CPU that it ended on"), field("flags", &T::flags, "SCX_EFLAG_* bits"),
      field("reason", &T::reason, "the kernel's words for the kind"),
      field("msg", &T::msg, "what exactly went wrong"),
      field("backtrace", &T::backtrace, "where in the kernel, innermost first"),
      field("dump", &T::dump, "the kernel's own dump of sched_ext's state"),
      field("dump_truncated", &T::dump_truncated, "whether the dump was longer than what is shown"),
      field("settled", &T::settled, "whether the kernel has finished the record"),
      field("ops_name", &T::ops_name, "sched_ext_ops.name"),
      field("sched_kva", &T::sched_kva, "address of the scx_sched"),
      field("source", &T::source, "\"scx_root\" or \"struct_ops\": through what it was found"));
}();
}  // namespace ktstr
