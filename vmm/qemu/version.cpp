#include "vmm/qemu/version.h"

#include <charconv>
#include <cstdlib>
#include <map>
#include <mutex>
#include <string>

#include "vmm/kernels/command.h"
#include "vmm/qemu/qemu_machine.h"

namespace ktstr::vmm::qemu {

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
