// Running another program and keeping what it says.
#pragma once

#include <filesystem>
#include <functional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"

namespace ktstr::vmm {

struct Command {
  std::vector<std::string> arguments;     ///< [0] is looked up in PATH
  std::filesystem::path directory = ".";  ///< where it runs
  std::stop_token stop;                   ///< kills it when requested
  /// Called with each line of its standard output as it comes.
  std::function<void(std::string_view)> on_line = [](std::string_view) {};
};

/// Runs a program to its end (in the C locale, no standard input, killed with us) and gives its standard
/// output, of which up to 64 MiB are kept. Errors: kUnavailable with the program's name and standard error
/// when it can't be started or ends with anything but status 0; kCancelled when stopped.
[[nodiscard]] Result<std::string> run_command(const Command& command);

}  // namespace ktstr::vmm
