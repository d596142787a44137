// CONFIG_HZ of the guest's kernel, and the time that follows from it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "engine/base/units.h"

namespace ktstr::introspect {

/// Used when no source tells: the lowest rate in common use but 100, hence a long tick and few false stalls.
inline constexpr std::uint32_t kDefaultHz = 250;

/// Ticks a vCPU must have run for before its run queue clock is expected to have moved: several chances to
/// tick.
inline constexpr std::uint32_t kPreemptionTicks = 10;

/// A tick rate and where it was found, for reports.
struct KernelHz {
  std::uint32_t hz = kDefaultHz;
  std::string source;

  /// Length of kPreemptionTicks ticks. 40 ms at 250 Hz.
  [[nodiscard]] Duration preemption_threshold() const;
};

/// Where to look. Empty paths are skipped.
struct KernelFiles {
  std::filesystem::path elf;     ///< vmlinux, perhaps with IKCONFIG inside
  std::filesystem::path config;  ///< the kernel's configuration, when it is known
  std::filesystem::path image;   ///< the image as the user named it, perhaps in a build tree
};

/// CONFIG_HZ from the first source that has it: IKCONFIG in the ELF, the config file, a `.config` beside the
/// image or in one of the three folders above, kDefaultHz. The running host's own configuration says nothing
/// of a guest's kernel, and there is always a guest's kernel here, so /boot is not consulted.
[[nodiscard]] KernelHz kernel_hz(const KernelFiles& files);

/// The value of the line "CONFIG_HZ=N"; absent when there is none or N is not between 1 and 10000.
[[nodiscard]] std::optional<std::uint32_t> parse_config_hz(std::string_view config);

/// The text of the gzipped configuration between IKCFG_ST and IKCFG_ED (kernel/configs.c); absent when
/// `image` has none or it is damaged. At most 4 MiB are unpacked.
[[nodiscard]] std::optional<std::string> unpack_ikconfig(std::string_view image);

}  // namespace ktstr::introspect
