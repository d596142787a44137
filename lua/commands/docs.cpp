// ktstr docs: writes the reference pages and editor annotations. For those who work on ktstr itself.
#include <cstdio>
#include <filesystem>
#include <memory>
#include <system_error>

#include "engine/base/durable_file.h"
#include "lua/commands/commands.h"
#include "lua/reference/pages.h"

namespace ktstr::lua {
namespace {

namespace fs = std::filesystem;

Status write_page(const Page& page, const fs::path& root) {
  const auto path = root / page.path;
  std::error_code error;
  fs::create_directories(path.parent_path(), error);
  if (error) return system_error(path.parent_path().string(), error.value());
  return write_new_file(path, page.text);
}

Result<int> write_pages(const fs::path& root) {
  for (const auto& page : reference_pages()) {
    KTSTR_TRY(write_page(page, root));
    std::printf("%s\n", (root / page.path).c_str());
  }
  return kPassed;
}

}  // namespace

void add_docs_command(CLI::App& app, Invocation& invocation) {
  auto* command =
      app.add_subcommand("docs", "Write docs/reference and lua/types below a directory")->group("");
  auto root = std::make_shared<fs::path>();
  command->add_option("ROOT", *root, "The project's directory")->required();
  on_chosen(*command, invocation, [root] { return write_pages(*root); });
}

}  // namespace ktstr::lua
