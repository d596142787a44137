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

  static consteval auto describe() {
    using T = ToolReport;
    return record("a build of ktstr", field<&T::version>("its version"),
                  field<&T::commit>("the commit that it was built from, \"-dirty\" behind it when there were "
                                    "other changes; absent without a repository"));
  }
};

/// The host. Absent is what it does not tell.
struct HostReport {
  std::string kernel;  ///< "Linux 6.12.1 #1 SMP ... x86_64": of uname(2)
  std::optional<std::string> cpu_model{};
  std::uint64_t cpus = 0;

  static consteval auto describe() {
    using T = HostReport;
    return record("the machine that ktstr ran on",
                  field<&T::kernel>("system, release, version and machine of its kernel"),
                  field<&T::cpu_model>("model name of its first CPU"),
                  field<&T::cpus>("CPUs that are online"));
  }
};

struct SourceFileReport {
  std::string path;  ///< as the user gave it
  std::string sha256;

  static consteval auto describe() {
    using T = SourceFileReport;
    return record("a file that a script required", field<&T::path>("where it is"),
                  field<&T::sha256>("SHA-256 of its bytes, hexadecimal"));
  }
};

struct ScriptReport {
  std::string path;
  std::string sha256;
  std::vector<SourceFileReport> modules;

  static consteval auto describe() {
    using T = ScriptReport;
    return record("the files that a scenario was read from", field<&T::path>("the scenario's file"),
                  field<&T::sha256>("SHA-256 of its bytes, hexadecimal"),
                  field<&T::modules>("the modules that it required, in order"));
  }
};

/// This machine.
[[nodiscard]] HostReport this_host();

}  // namespace ktstr::engine
