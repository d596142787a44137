// What a run's report says of its origin: the tool, the machine that it ran on, and the files it was told by.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/describe.h"

namespace ktstr::engine {

/// `commit`: absent for a build from sources without a repository; "-dirty" behind it tells of changes that
/// were not committed.
struct ToolReport {
  std::string version;
  std::optional<std::string> commit{};
};

/// The host. Absent is what it does not tell.
struct HostReport {
  std::string kernel;  ///< "Linux 6.12.1 #1 SMP ... x86_64": of uname(2)
  std::optional<std::string> cpu_model{};
  std::uint64_t cpus = 0;
};

struct SourceFileReport {
  std::string path;  ///< as the user gave it
  std::string sha256;
};

struct ScriptReport {
  std::string path;
  std::string sha256;
  std::vector<SourceFileReport> modules;  ///< what it required, in the order of reading
};

/// This machine.
[[nodiscard]] HostReport this_host();

}  // namespace ktstr::engine

namespace ktstr {
template <>
inline constexpr auto describe<engine::ToolReport> = record<engine::ToolReport>(
    "ToolReport", "a build of ktstr", field("version", &engine::ToolReport::version, "its version"),
    field("commit", &engine::ToolReport::commit,
          "the commit that it was built from, \"-dirty\" behind it when there were other changes; absent "
          "without a repository"));
template <>
inline constexpr auto describe<engine::HostReport> = record<engine::HostReport>(
    "HostReport", "the machine that ktstr ran on",
    field("kernel", &engine::HostReport::kernel, "system, release, version and machine of its kernel"),
    field("cpu_model", &engine::HostReport::cpu_model, "model name of its first CPU"),
    field("cpus", &engine::HostReport::cpus, "CPUs that are online"));
template <>
inline constexpr auto describe<engine::SourceFileReport> = record<engine::SourceFileReport>(
    "SourceFileReport", "a file that a script required",
    field("path", &engine::SourceFileReport::path, "where it is"),
    field("sha256", &engine::SourceFileReport::sha256, "SHA-256 of its bytes, hexadecimal"));
template <>
inline constexpr auto describe<engine::ScriptReport> = record<engine::ScriptReport>(
    "ScriptReport", "the files that a scenario was read from",
    field("path", &engine::ScriptReport::path, "the scenario's file"),
    field("sha256", &engine::ScriptReport::sha256, "SHA-256 of its bytes, hexadecimal"),
    field("modules", &engine::ScriptReport::modules, "the modules that it required, in order"));
}  // namespace ktstr
