#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "engine/base/printable.h"
#include "lua/commands/commands.h"

namespace ktstr::lua {

void on_chosen(CLI::App& command, Invocation& invocation, std::function<Result<int>()> action) {
  command.callback([&invocation, action = std::move(action)] { invocation.action = action; });
}

ExitCode exit_code_of(const Error& error) {
  return error.code == ErrorCode::kCancelled ? kInterrupted : kToolError;
}

int report_error(const Error& error) {
  std::fprintf(stderr, "%s\n", printable_lines(error.message).c_str());
  return exit_code_of(error);
}

void report_note(const std::filesystem::path& file, const std::string& note) {
  if (!note.empty()) std::fprintf(stderr, "note: %s\n", printable(file.string() + ": " + note).c_str());
}

bool wants_colour(int fd, const Invocation& invocation) {
  const auto set = [](const char* name) {
    const char* value = std::getenv(name);
    return value && *value;
  };
  const char* terminal = std::getenv("TERM");
  return !invocation.no_color && !set("NO_COLOR") && isatty(fd) != 0 && terminal &&
         terminal != std::string_view("dumb");
}

}  // namespace ktstr::lua
