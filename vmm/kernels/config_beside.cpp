#include "vmm/kernels/config_beside.h"

#include <fstream>

namespace ktstr::vmm {
namespace {

namespace fs = std::filesystem;

bool is_tree_of(const fs::path& top, const std::string& release) {
  std::string built;
  std::ifstream(top / "include/config/kernel.release") >> built;
  return built == release;
}

}  // namespace

std::optional<fs::path> config_beside(const fs::path& image, const std::string& release) {
  std::error_code ignored;
  const auto folder = fs::weakly_canonical(image, ignored).parent_path();
  if (const auto named = folder / ("config-" + release); fs::is_regular_file(named, ignored)) return named;
  for (const auto& top : {folder, folder.parent_path().parent_path().parent_path()})
    if (fs::is_regular_file(top / ".config", ignored) && is_tree_of(top, release)) return top / ".config";
  return std::nullopt;
}

}  // namespace ktstr::vmm
