#include "vmm/qemu/version.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "vmm/kernels/command.h"

namespace ktstr::vmm::qemu {

Result<std::string> find_qemu(const std::string& path) {
  constexpr std::string_view kName = "qemu-system-x86_64";
  for (std::size_t begin = 0; begin <= path.size();) {
    const auto end = std::min(path.find(':', begin), path.size());
    const auto candidate = path.substr(begin, end - begin) + "/" + std::string(kName);
    if (end > begin && ::access(candidate.c_str(), X_OK) == 0) return candidate;
    begin = end + 1;
  }
  return Error{ErrorCode::kUnavailable,
               std::string(kName) + " is not installed: it comes with the Debian package qemu-system-x86"};
}

std::optional<QemuVersion> parse_version(std::string_view text) {
  constexpr std::string_view kBefore = "QEMU emulator version ";
  if (!text.starts_with(kBefore)) return std::nullopt;
  text.remove_prefix(kBefore.size());
  QemuVersion version;
  const char* const end = text.data() + text.size();
  const auto [dot, major] = std::from_chars(text.data(), end, version.major);
  if (major != std::errc{} || dot == end || *dot != '.') return std::nullopt;
  const auto [rest, minor] = std::from_chars(dot + 1, end, version.minor);
  if (minor != std::errc{}) return std::nullopt;
  return version;
}

Result<QemuVersion> installed_version() {
  static std::mutex mutex;
  static std::map<std::string, QemuVersion> known;
  const char* path = std::getenv("PATH");
  const auto program = KTSTR_TRY(find_qemu(path ? path : ""));
  const std::lock_guard lock(mutex);
  if (const auto found = known.find(program); found != known.end()) return found->second;
  Command command;
  command.arguments = {program, "--version"};
  const auto said = KTSTR_TRY(run_command(command));
  const auto version = parse_version(said);
  if (!version) return Error{ErrorCode::kUnavailable, program + " --version does not say which QEMU it is"};
  known.emplace(program, *version);
  return *version;
}

}  // namespace ktstr::vmm::qemu
