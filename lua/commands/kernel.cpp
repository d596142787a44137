// ktstr kernel: the cache of kernels that scenarios boot.
#include <cstdio>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "engine/base/printable.h"
#include "engine/base/table.h"
#include "engine/kernels/kernel_store.h"
#include "engine/run/interrupt.h"
#include "lua/commands/commands.h"
#include "lua/commands/typed_options.h"

namespace ktstr::lua {
namespace {

using engine::CachedKernel;
using engine::KernelStore;

void print_notice(const std::string& text) {
  std::fprintf(stderr, "%s\n", printable_lines(text).c_str());
}

/// What is done with the store of kernels when the command was chosen.
void use_store(CLI::App& command, Invocation& invocation, std::function<Status(const KernelStore&)> use) {
  on_chosen(command, invocation, [use = std::move(use)]() -> Result<int> {
    KTSTR_TRY(use(KTSTR_TRY(KernelStore::open(std::nullopt, print_notice))));
    return kPassed;
  });
}

std::vector<Cell> row_of(const CachedKernel& kernel, bool is_default) {
  const auto& metadata = kernel.metadata;
  const char* sched_ext = metadata.can_run_schedulers() ? "yes" : metadata.sched_ext ? "broken" : "no";
  return {metadata.release, sched_ext, metadata.added, metadata.source + (is_default ? " [default]" : "")};
}

void print_damage(const std::vector<Error>& damaged) {
  for (const auto& damage : damaged)
    std::fprintf(stderr, "damaged: %s\n", printable_lines(damage.message).c_str());
}

/// What is damaged beyond repair is an error, so that scripts see it.
Status verify(const KernelStore& store) {
  const auto problems = KTSTR_TRY(store.verify());
  print_damage(problems);
  if (problems.empty()) return ok();
  return Error{ErrorCode::kCorrupt, std::to_string(problems.size()) + " of the cached kernels can't be used"};
}

Status list_kernels(const KernelStore& store, bool verified) {
  const auto listing = KTSTR_TRY(store.list());
  if (listing.kernels.empty() && listing.damaged.empty()) {
    std::fprintf(stderr, "no kernels yet; \"ktstr kernel fetch\" gets one\n");
    return ok();
  }
  Table table({"RELEASE", "SCHED_EXT", "ADDED", "SOURCE"}, 4);
  for (const auto& kernel : listing.kernels)
    table.add(row_of(kernel, kernel.directory == listing.default_kernel));
  std::fputs(table.to_string().c_str(), stdout);
  if (verified) return verify(store);
  print_damage(listing.damaged);
  return ok();
}

Status make_default(const KernelStore& store, const std::string& spec) {
  const auto kernel = KTSTR_TRY(store.make_default(spec));
  std::printf("%s\n", printable(kernel.metadata.release).c_str());
  return ok();
}

Status fetch(const KernelStore& store, const std::optional<std::string>& series, bool if_missing) {
  const auto cancellation = KTSTR_TRY(engine::Cancellation::on_interrupt());
  vmm::FetchOptions options;
  options.series = series;
  options.refresh = !if_missing;
  options.progress = [](std::string_view what) { std::fprintf(stderr, "%s\n", printable(what).c_str()); };
  options.stop = cancellation->token();
  const auto kernel = KTSTR_TRY(store.fetch(options));
  std::printf("%s\n", printable(kernel.metadata.release).c_str());
  return ok();
}

Status add(const KernelStore& store, const std::string& image, const std::optional<std::string>& config) {
  const auto kernel = KTSTR_TRY(store.add(image, config));
  std::printf("%s\n", printable(kernel.metadata.release).c_str());
  return ok();
}

Status clean(const KernelStore& store, const vmm::CleanSelection& selection) {
  for (const auto& release : KTSTR_TRY(store.clean(selection)))
    std::printf("removed %s\n", printable(release).c_str());
  return ok();
}

void add_fetch(CLI::App& kernel, Invocation& invocation) {
  auto* command =
      kernel.add_subcommand("fetch", "Get Debian's newest cloud kernel with sched_ext, through apt");
  auto series = std::make_shared<std::optional<std::string>>();
  auto if_missing = std::make_shared<bool>(false);
  command->add_option("SERIES", *series, "A series or version, such as 6.18");
  command->add_flag("--if-missing", *if_missing, "Do not ask the archive when a fitting kernel is cached");
  use_store(*command, invocation, [=](const auto& store) { return fetch(store, *series, *if_missing); });
}

void add_list(CLI::App& kernel, Invocation& invocation) {
  auto* command = kernel.add_subcommand("list", "Show the cached kernels, newest first");
  auto verified = std::make_shared<bool>(false);
  command->add_flag("--verify", *verified,
                    "Read all of their files, compare them with their checksums, repair what can be");
  use_store(*command, invocation, [=](const auto& store) { return list_kernels(store, *verified); });
}

void add_default(CLI::App& kernel, Invocation& invocation) {
  auto* command =
      kernel.add_subcommand("default", "Make a cached kernel the one that scenarios boot by default");
  auto spec = std::make_shared<std::string>();
  command->add_option("SPEC", *spec, "A version or the beginning of one")->required();
  use_store(*command, invocation, [=](const auto& store) { return make_default(store, *spec); });
}

void add_add(CLI::App& kernel, Invocation& invocation) {
  auto* command = kernel.add_subcommand("add", "Add a kernel of your own: a bzImage or an ELF with BTF");
  auto image = std::make_shared<std::string>();
  auto config = std::make_shared<std::optional<std::string>>();
  command->add_option("PATH", *image, "The kernel image")->required();
  command->add_option("--config", *config,
                      "The .config it was built with (default: what the image holds, or lies beside it)");
  use_store(*command, invocation, [=](const auto& store) { return add(store, *image, *config); });
}

void add_clean(CLI::App& kernel, Invocation& invocation) {
  auto* command = kernel.add_subcommand("clean", "Remove cached kernels");
  auto selection = std::make_shared<vmm::CleanSelection>();
  command->add_option("SPEC", selection->spec, "Only these: a version or the beginning of one");
  add_number(*command, "--keep", selection->keep_newest, "Keep this many of the newest", std::size_t{0},
             std::size_t{1000});
  use_store(*command, invocation, [=](const auto& store) { return clean(store, *selection); });
}

}  // namespace

void add_kernel_command(CLI::App& app, Invocation& invocation) {
  auto* command = app.add_subcommand("kernel", "Fetch, list, add and remove kernels");
  command->require_subcommand(1);
  add_fetch(*command, invocation);
  add_list(*command, invocation);
  add_add(*command, invocation);
  add_default(*command, invocation);
  add_clean(*command, invocation);
}

}  // namespace ktstr::lua
