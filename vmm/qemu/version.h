// Which QEMU is installed, and where.
#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>

#include "engine/base/result.h"

namespace ktstr::vmm::qemu {

struct QemuVersion {
  int major = 0, minor = 0;
  friend auto operator<=>(const QemuVersion&, const QemuVersion&) = default;
};

/// The first that emulates x2APIC without KVM.
inline constexpr QemuVersion kFirstWithX2apic{9, 0};

/// Of what `qemu-system-x86_64 --version` says. nullopt: it says something else.
[[nodiscard]] std::optional<QemuVersion> parse_version(std::string_view text);

/// The emulator in the directories of `path` (in PATH's notation). Errors: kUnavailable, naming the package
/// to install.
[[nodiscard]] Result<std::string> find_qemu(const std::string& path);

/// Of the one that start_qemu() would run; each is asked once. Errors: kUnavailable: none is installed, or it
/// does not say.
[[nodiscard]] Result<QemuVersion> installed_version();

}  // namespace ktstr::vmm::qemu
