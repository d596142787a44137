#include "vmm/kernels/default_kernel.h"

namespace ktstr::vmm {
namespace {

namespace fs = std::filesystem;

fs::path link_of(const fs::path& kernels) {
  return kernels.parent_path() / "default-kernel";
}

}  // namespace

std::optional<std::string> default_entry(const fs::path& kernels) {
  std::error_code none;
  const auto target = fs::read_symlink(link_of(kernels), none);
  if (none || target.filename().empty()) return std::nullopt;
  return target.filename().string();
}

Status set_default_entry(const fs::path& kernels, const std::string& entry, const fs::path& scratch) {
  std::error_code error;
  fs::create_directory_symlink(kernels.filename() / entry, scratch / "link", error);
  if (!error) fs::rename(scratch / "link", link_of(kernels), error);
  if (error) return system_error("link " + link_of(kernels).string(), error.value());
  return ok();
}

}  // namespace ktstr::vmm
