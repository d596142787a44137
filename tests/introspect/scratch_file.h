// ScratchFile: an empty file of a test's own, removed at its end.
#pragma once

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "engine/base/check.h"
#include "engine/base/fd.h"

namespace ktstr::introspect::test {

class ScratchFile {
 public:
  ScratchFile() {
    std::string name = (std::filesystem::temp_directory_path() / "ktstr-test-XXXXXX").string();
    const Fd created(::mkstemp(name.data()));
    KTSTR_CHECK(created);
    path_ = name;
  }
  ~ScratchFile() { ::unlink(path_.c_str()); }
  ScratchFile(const ScratchFile&) = delete;
  ScratchFile& operator=(const ScratchFile&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace ktstr::introspect::test
