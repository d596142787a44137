#include "engine/run/kernel_options.h"

#include <algorithm>

#include "engine/base/mapped_file.h"
#include "engine/kernels/kernel_config.h"

namespace ktstr::engine {

std::optional<vmm::InitramfsFile> kernel_options_file(const CachedKernel& kernel) {
  if (kernel.config.empty()) return std::nullopt;
  return vmm::InitramfsFile{
      .path = "boot/config-" + kernel.metadata.release, .content = kernel.config, .mode = 0644};
}

Result<std::optional<std::uint32_t>> tick_rate_of(const CachedKernel& kernel) {
  if (kernel.config.empty()) return std::nullopt;
  const auto file = KTSTR_TRY(MappedFile::open(kernel.config));
  const auto bytes = file.bytes();
  return tick_rate({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
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
