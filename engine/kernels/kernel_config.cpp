#include "engine/kernels/kernel_config.h"

#include <string>

#include "introspect/monitor/kernel_hz.h"

namespace ktstr::engine {
namespace {

struct Need {
  std::string_view option, purpose;
};
constexpr Need kNeeds[] = {{"CONFIG_VIRTIO_CONSOLE", "the agent's channel"},
                           {"CONFIG_VIRTIO_PCI", "the device of that channel"},
                           {"CONFIG_SERIAL_8250_CONSOLE", "the console"},
                           {"CONFIG_BLK_DEV_INITRD", "the initramfs with the agent"},
                           {"CONFIG_DEVTMPFS", "/dev"},
                           {"CONFIG_PROC_FS", "/proc"},
                           {"CONFIG_SYSFS", "/sys"},
                           {"CONFIG_TMPFS", "/tmp"},
                           {"CONFIG_CGROUPS", "cgroups"}};

bool has_line(std::string_view config, const std::string& line) {
  for (auto at = config.find(line); at != config.npos; at = config.find(line, at + 1)) {
    const auto end = at + line.size();
    if ((at == 0 || config[at - 1] == '\n') && (end == config.size() || config[end] == '\n')) return true;
  }
  return false;
}

/// "CONFIG_X=m" or "CONFIG_X is not set"; empty when it is built in, or not named.
std::string lack_of(std::string_view config, std::string_view option) {
  const std::string name(option);
  if (has_line(config, name + "=m")) return name + "=m";
  if (has_line(config, "# " + name + " is not set")) return name + " is not set";
  return {};
}

}  // namespace

Status check_agent_needs(std::string_view config) {
  std::string lacks;
  for (const auto& [option, purpose] : kNeeds)
    if (const auto lack = lack_of(config, option); !lack.empty())
      lacks += (lacks.empty() ? "" : ", ") + lack + " (" + std::string(purpose) + ")";
  if (lacks.empty()) return ok();
  return invalid_argument(
      "ktstr's agent needs options built in (=y), as guests load no modules, and the kernel's "
      "configuration says " +
      lacks);
}

std::optional<std::uint32_t> tick_rate(std::string_view config) {
  constexpr std::uint32_t kMost = 1000;  // the largest choice of kernel/Kconfig.hz
  const auto rate = introspect::parse_config_hz(config);
  return rate && *rate <= kMost ? rate : std::nullopt;
}

}  // namespace ktstr::engine
