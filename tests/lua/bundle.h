// A directory of scripts for one test.
#pragma once

#include <filesystem>
#include <string>

#include "lua/script_host.h"
#include "tests/temporary_directory.h"

namespace ktstr::lua {

/// Files below a temporary directory, which goes away with the object.
class Bundle {
 public:
  [[nodiscard]] const std::filesystem::path& directory() const { return directory_.path(); }

  std::filesystem::path write(const std::string& name, const std::string& text) const {
    return directory_.write(name, text);
  }

  /// "ok", or the error with the directory left out: "foo.lua:2: duration: ...".
  [[nodiscard]] std::string outcome(const std::string& script, const Limits& limits = {}) const {
    const auto host = ScriptHost::load(write("foo.lua", script), limits);
    return host ? "ok" : shortened(host.error().message);
  }

  [[nodiscard]] std::string shortened(std::string text) const {
    const auto prefix = directory_.path().string() + "/";
    for (auto at = text.find(prefix); at != std::string::npos; at = text.find(prefix))
      text.erase(at, prefix.size());
    return text;
  }

 private:
  test::TemporaryDirectory directory_;
};

}  // namespace ktstr::lua
