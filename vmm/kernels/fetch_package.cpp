// fetch-debian-package SUITE PACKAGE APT_DIRECTORY DESTINATION: unpacks a package of Debian's archive, for
// builds.
#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "vmm/kernels/apt_root.h"

namespace {

namespace fs = std::filesystem;
using namespace ktstr;

Status fetch(std::string_view suite, std::string_view name, const fs::path& apt_directory,
             const fs::path& destination) {
  const auto apt = KTSTR_TRY(vmm::AptRoot::open(apt_directory, suite, {}));
  KTSTR_TRY(apt.update());
  const auto packages = KTSTR_TRY(apt.packages());
  const auto package = std::find_if(packages.begin(), packages.end(),
                                    [&](const auto& candidate) { return candidate.name == name; });
  if (package == packages.end())
    return Error{ErrorCode::kNotFound, std::string(suite) + " has no package " + std::string(name)};
  const fs::path deb = KTSTR_TRY(apt.download(*package, apt_directory));
  vmm::Command unpack;
  unpack.arguments = {"dpkg-deb", "-x", deb.string(), destination.string()};
  KTSTR_TRY(vmm::run_command(unpack));
  // dpkg-deb keeps the files' times, which lie before those of anything that a build compares them with.
  const auto now = fs::file_time_type::clock::now();
  for (const auto& file : fs::recursive_directory_iterator(destination))
    if (file.is_regular_file() && !file.is_symlink()) fs::last_write_time(file, now);
  fs::remove(deb);
  return ok();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) return 2;
  const Status fetched = fetch(argv[1], argv[2], argv[3], argv[4]);
  if (fetched) return 0;
  std::fprintf(stderr, "fetch %s: %s\n", argv[2], fetched.error().message.c_str());
  return 1;
}
