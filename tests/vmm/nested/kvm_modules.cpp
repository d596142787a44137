#include "tests/vmm/nested/kvm_modules.h"

#include <algorithm>
#include <string>

#include "engine/base/durable_file.h"
#include "engine/base/mapped_file.h"
#include "tests/temporary_directory.h"
#include "vmm/decompress.h"
#include "vmm/kernels/apt_root.h"
#include "vmm/kernels/command.h"
#include "vmm/kernels/debian_fetch.h"
#include "vmm/kernels/file_lock.h"

namespace ktstr::vmm {
namespace {

namespace fs = std::filesystem;

constexpr const char* kNames[] = {"irqbypass", "kvm", "kvm-amd"};
constexpr std::size_t kMaxModuleBytes = 64 << 20;

/// The package that has a kernel's modules: of its own since 7.2, the image's before.
Result<IndexedPackage> find_package(const std::vector<IndexedPackage>& index, const std::string& release) {
  for (const auto* prefix : {"linux-modules-", "linux-image-"})
    for (const auto& package : index)
      if (package.name == prefix + release) return package;
  return Error{ErrorCode::kNotFound, std::string(kDebianSuite) + " has no modules of " + release};
}

Status unpack_module(const fs::path& tree, const std::string& name, const fs::path& into) {
  for (const auto& file : fs::recursive_directory_iterator(tree)) {
    if (file.path().filename() != name + ".ko.xz") continue;
    const auto packed = KTSTR_TRY(MappedFile::open(file.path()));
    const auto* compression = find_compression(packed.bytes());
    if (!compression || !compression->decompress)
      return Error{ErrorCode::kCorrupt, file.path().string() + " is not compressed as expected"};
    BoundedOutput module(kMaxModuleBytes);
    KTSTR_TRY(compression->decompress(packed.bytes(), module));
    const auto target = into / (name + ".ko");
    KTSTR_TRY(write_new_file(target.string() + ".new", module.take()));
    fs::rename(target.string() + ".new", target);
    return ok();
  }
  return Error{ErrorCode::kNotFound, "the package has no module " + name};
}

Status fetch(const std::string& release, const fs::path& cache, const fs::path& into) {
  const auto apt = KTSTR_TRY(AptRoot::open(cache / "apt", kDebianSuite, {}));
  KTSTR_TRY(apt.update());
  const auto packages = KTSTR_TRY(apt.packages());
  const auto package = KTSTR_TRY(find_package(packages, release));
  const ktstr::test::TemporaryDirectory scratch;
  const auto deb = KTSTR_TRY(apt.download(package, scratch.path()));
  Command unpack;
  unpack.arguments = {"dpkg-deb", "-x", deb.string(), (scratch.path() / "tree").string()};
  KTSTR_TRY(run_command(unpack));
  for (const auto* name : kNames) KTSTR_TRY(unpack_module(scratch.path() / "tree", name, into));
  return ok();
}

}  // namespace

Result<std::vector<fs::path>> kvm_modules(const engine::CachedKernel& kernel) {
  const auto cache = kernel.directory.parent_path().parent_path();
  const auto directory = cache / "modules" / kernel.metadata.release;
  fs::create_directories(directory);
  std::vector<fs::path> modules;
  for (const auto* name : kNames) modules.push_back(directory / (std::string(name) + ".ko"));
  const auto exists = [](const fs::path& module) { return fs::exists(module); };
  fs::create_directories(cache / "apt");
  const auto alone = KTSTR_TRY(FileLock::wait(cache / "apt" / ".lock"));
  if (!std::all_of(modules.begin(), modules.end(), exists))
    KTSTR_TRY(fetch(kernel.metadata.release, cache, directory));
  return modules;
}

}  // namespace ktstr::vmm
