#include "vmm/kernels/staging.h"

#include <stdlib.h>

#include <string>

#include "engine/base/durable_file.h"

namespace ktstr::vmm {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPrefix = ".staging-";

}  // namespace

Result<StagingDirectory> StagingDirectory::create(const fs::path& parent) {
  std::string path = (parent / (std::string(kPrefix) + "XXXXXX")).string();
  if (!::mkdtemp(path.data())) return system_error("create " + path);
  auto lock = FileLock::try_existing(path);
  if (!lock) return Error{ErrorCode::kIo, "lock " + path + ": somebody else has it"};
  return StagingDirectory(path, std::move(*lock));
}

Status StagingDirectory::remove_stale(const fs::path& parent) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(parent, error)) {
    if (!entry.path().filename().string().starts_with(kPrefix)) continue;
    const auto lock = FileLock::try_existing(entry.path());
    if (!lock) continue;
    fs::remove_all(entry.path(), error);
    if (error) return system_error("remove " + entry.path().string(), error.value());
  }
  if (error) return system_error("list " + parent.string(), error.value());
  return ok();
}

StagingDirectory::StagingDirectory(StagingDirectory&& other) noexcept
    : path_(std::exchange(other.path_, {})), lock_(std::move(other.lock_)) {}

StagingDirectory::~StagingDirectory() {
  if (path_.empty()) return;
  std::error_code ignored;  // what stays is removed as stale by the next command
  fs::remove_all(path_, ignored);
}

Status StagingDirectory::publish(const fs::path& target) {
  std::error_code error;
  fs::permissions(path_, fs::perms(0755), error);
  if (error) return system_error("chmod " + path_.string(), error.value());
  KTSTR_TRY(sync_directory(path_));
  fs::rename(path_, target, error);
  if (error) return system_error("rename to " + target.string(), error.value());
  path_.clear();
  return sync_directory(target.parent_path());
}

}  // namespace ktstr::vmm
