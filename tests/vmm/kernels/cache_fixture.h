// A kernel cache and images to put into it.
#pragma once

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "engine/base/durable_file.h"
#include "tests/temporary_directory.h"
#include "tests/vmm/kernels/image_builder.h"
#include "vmm/kernels/cache.h"

namespace ktstr::test {

namespace fs = std::filesystem;

inline Status write_extra(const fs::path& directory, vmm::KernelMetadata&) {
  return write_new_file(directory / "extra", "made");
}

struct CacheFixture {
  TemporaryDirectory directory;
  vmm::KernelCache cache = *vmm::KernelCache::open(directory.path() / "cache", &write_extra);

  fs::path file(const std::string& name, const Bytes& bytes) const {
    const fs::path path = directory.path() / name;
    fs::create_directories(path.parent_path());
    REQUIRE(write_new_file(path, bytes));
    return path;
  }
  fs::path image(const std::string& release, const std::string& id) const {
    return file(release, bzimage(zstd_payload(kernel_elf(release, id))));
  }
  vmm::CacheEntry add(const std::string& release, const std::string& id = "0123456789",
                      const std::string& source = "test") const {
    const auto entry = cache.add({image(release, id), std::nullopt, source});
    REQUIRE(entry);
    return *entry;
  }
  std::vector<std::string> hidden_names() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(cache.directory()))
      if (entry.path().filename().string().starts_with(".staging")) names.push_back(entry.path().filename());
    return names;
  }
  std::vector<std::string> releases() const {
    std::vector<std::string> names;
    const auto listing = cache.list();
    REQUIRE(listing);
    for (const vmm::CacheEntry& entry : listing->entries) names.push_back(entry.metadata.release);
    return names;
  }
};

/// A child process that runs `body` and exits with its result.
template <class Body>
pid_t start_process(Body body) {
  const pid_t pid = ::fork();
  if (pid == 0) ::_exit(body());
  return pid;
}

inline int exit_status(pid_t pid) {
  int status = 0;
  ::waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/// Whether `body` gives true in a process that may read everything and write nothing. Precondition: root, or
/// what lies in `folder` is made unwritable by other means.
template <class Body>
bool holds_for_a_stranger(const fs::path& folder, Body body) {
  constexpr unsigned kNobody = 65534;
  fs::permissions(folder, fs::perms(0755));
  return exit_status(start_process([&] {
           if (::setgid(kNobody) != 0 || ::setuid(kNobody) != 0) return 2;
           return body() ? 0 : 1;
         })) == 0;
}

/// Changes one byte in the middle of a file.
inline void flip_byte(const fs::path& path) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  const auto middle = static_cast<std::streamoff>(fs::file_size(path) / 2);
  file.seekg(middle);
  const char byte = static_cast<char>(file.get());
  file.seekp(middle);
  file.put(static_cast<char>(byte ^ 1));
}

}  // namespace ktstr::test
