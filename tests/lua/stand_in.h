// A program on PATH under a scheduler's name: checking a scenario looks for it and does not run it.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

#include "tests/temporary_directory.h"

namespace ktstr::test {

class StandIn {
 public:
  explicit StandIn(const std::string& name) {
    std::filesystem::copy_file("/bin/true", directory_.path() / name);
    ::setenv("PATH", (path_ + ":" + directory_.path().string()).c_str(), 1);
  }
  ~StandIn() { ::setenv("PATH", path_.c_str(), 1); }
  StandIn(const StandIn&) = delete;
  StandIn& operator=(const StandIn&) = delete;

 private:
  const std::string path_ = std::getenv("PATH") ? std::getenv("PATH") : "";
  TemporaryDirectory directory_;
};

}  // namespace ktstr::test
