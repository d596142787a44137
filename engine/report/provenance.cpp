#include "engine/report/provenance.h"

#include <sys/utsname.h>
#include <unistd.h>

#include <fstream>
#include <string_view>

namespace ktstr::engine {
namespace {

/// "model name	: AMD EPYC 9354", of /proc/cpuinfo.
std::optional<std::string> cpu_model() {
  std::ifstream cpuinfo("/proc/cpuinfo");
  constexpr std::string_view kName = "model name";
  for (std::string line; std::getline(cpuinfo, line);) {
    const auto colon = line.find(": ");
    if (line.starts_with(kName) && colon != std::string::npos) return line.substr(colon + 2);
  }
  return std::nullopt;
}

std::string kernel_text() {
  struct utsname names {};
  if (::uname(&names) != 0) return "unknown";
  return std::string(names.sysname) + " " + names.release + " " + names.version + " " + names.machine;
}

}  // namespace

HostReport this_host() {
  return {kernel_text(), cpu_model(), static_cast<std::uint64_t>(::sysconf(_SC_NPROCESSORS_ONLN))};
}

}  // namespace ktstr::engine
