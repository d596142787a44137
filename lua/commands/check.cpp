// ktstr check: reads and checks scenarios without booting anything.
#include <cstdio>
#include <filesystem>
#include <memory>
#include <vector>

#include "engine/base/printable.h"
#include "engine/run/bootable.h"
#include "lua/commands/commands.h"
#include "lua/script_host.h"

namespace ktstr::lua {
namespace {

/// What `run` would refuse, `check` refuses.
Status check_file(const std::filesystem::path& file) {
  const auto host = KTSTR_TRY(ScriptHost::load(file));
  KTSTR_TRY(engine::check_bootable(host.scenario(), vmm::Backend::kAuto), file.string());
  return ok();
}

int check(const std::vector<std::filesystem::path>& files) {
  int code = kPassed;
  for (const auto& file : files) {
    const auto status = check_file(file);
    if (status)
      std::printf("%s: ok\n", printable(file.string()).c_str());
    else
      code = report_error(status.error());
  }
  return code;
}

}  // namespace

void add_check_command(CLI::App& app, Invocation& invocation) {
  auto* command = app.add_subcommand("check", "Check scenarios without booting anything");
  auto files = std::make_shared<std::vector<std::filesystem::path>>();
  command->add_option("FILE", *files, "Scenario files")->required();
  on_chosen(*command, invocation, [files] { return check(*files); });
}

}  // namespace ktstr::lua
