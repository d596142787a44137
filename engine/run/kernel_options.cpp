#include "engine/run/kernel_options.h"

#include <algorithm>

namespace ktstr::engine {

std::optional<vmm::InitramfsFile> kernel_options_file(const CachedKernel& kernel) {
  if (kernel.config.empty()) return std::nullopt;
  return vmm::InitramfsFile{
      .path = "boot/config-" + kernel.metadata.release, .content = kernel.config, .mode = 0644};
}

std::optional<std::string> missing_options_advice(const std::vector<std::string>& loader_log) {
  constexpr std::string_view kLibbpfsWords = "failed to open system Kconfig";
  const bool said = std::any_of(loader_log.begin(), loader_log.end(), [&](const std::string& line) {
    return line.find(kLibbpfsWords) != std::string::npos;
  });
  if (!said) return std::nullopt;
  return "libbpf found no options of the kernel (CONFIG_*) in the guest, and the cache has none for this "
         "kernel: run `ktstr kernel add IMAGE --config FILE`";
}

}  // namespace ktstr::engine
