// A directory of scripts for one test.
#pragma once

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "lua/script_host.h"

namespace ktstr::lua {

/// Files below a temporary directory, which goes away with the object.
class Bundle {
 public:
  Bundle() {
    std::string pattern = (std::filesystem::temp_directory_path() / "ktstr-test-XXXXXX").string();
    REQUIRE(mkdtemp(pattern.data()) != nullptr);
    directory_ = pattern;
  }
  ~Bundle() { std::filesystem::remove_all(directory_); }
  Bundle(const Bundle&) = delete;
  Bundle& operator=(const Bundle&) = delete;

  [[nodiscard]] const std::filesystem::path& directory() const { return directory_; }

  std::filesystem::path write(const std::string& name, const std::string& text) const {
    const auto path = directory_ / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << text;
    return path;
  }

  /// "ok", or the error with the directory left out: "foo.lua:2: duration: ...".
  [[nodiscard]] std::string outcome(const std::string& script, const Limits& limits = {}) const {
    const auto host = ScriptHost::load(write("foo.lua", script), limits);
    return host ? "ok" : shortened(host.error().message);
  }

  [[nodiscard]] std::string shortened(std::string text) const {
    const auto prefix = directory_.string() + "/";
    for (auto at = text.find(prefix); at != std::string::npos; at = text.find(prefix))
      text.erase(at, prefix.size());
    return text;
  }

 private:
  std::filesystem::path directory_;
};

}  // namespace ktstr::lua
