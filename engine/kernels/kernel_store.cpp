#include "engine/kernels/kernel_store.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/base/mapped_file.h"
#include "engine/kernels/entry_files.h"
#include "introspect/symbols/symbol_table.h"
#include "vmm/kernels/default_kernel.h"

namespace ktstr::engine {
namespace {

namespace fs = std::filesystem;

CachedKernel describe_files(vmm::CacheEntry entry) {
  return {.directory = entry.directory,
          .bzimage = entry.bzimage(),
          .elf = entry.elf(),
          .config = entry.config(),
          .symbols = entry.directory / kSymbolsFile,
          .btf = entry.directory / kBtfFile,
          .metadata = std::move(entry.metadata)};
}

/// Whether this version of ktstr can use them.
bool files_are_usable(const vmm::CacheEntry& entry) {
  const auto btf = MappedFile::open(entry.directory / kBtfFile);
  return btf && !btf->bytes().empty() && introspect::SymbolTable::load(entry.directory / kSymbolsFile);
}

/// What is to be done about an entry.
struct Repair {
  bool elf = false;                ///< vmlinux is to be unpacked again
  bool index = false;              ///< symbols and BTF are to be made again
  std::vector<fs::path> lost;      ///< files that can't be made of others
  std::vector<std::string> found;  ///< all that was damaged
};

Repair plan_repair(const vmm::CacheEntry& entry, const vmm::EntryCheck& check) {
  Repair repair{.elf = false, .index = !check.recorded, .lost = {}, .found = check.damaged};
  const auto is_damaged = [&](std::string_view name) {
    return std::ranges::find(check.damaged, name) != check.damaged.end();
  };
  for (const auto& name : check.damaged) {
    if (name == kSymbolsFile || name == kBtfFile)
      repair.index = true;
    else if (name == "vmlinux" && !entry.bzimage().empty() && !is_damaged("bzImage"))
      repair.elf = true;
    else
      repair.lost.push_back(entry.directory / name);
  }
  return repair;
}

Error damaged(const vmm::CacheEntry& entry, const std::vector<fs::path>& files) {
  std::vector<std::string> names;
  for (const auto& file : files) names.push_back(file.string());
  return {
      ErrorCode::kCorrupt,
      fmt::format("cached kernel {} is damaged: {} {} not what was put there; remove it with `ktstr kernel "
                  "clean {}`, then fetch or add it again",
                  entry.metadata.release, fmt::join(names, ", "), names.size() == 1 ? "is" : "are",
                  entry.directory.filename().string())};
}

}  // namespace

Result<KernelStore> KernelStore::open(const std::optional<fs::path>& directory, vmm::Notice notice) {
  const fs::path place = directory ? *directory : KTSTR_TRY(vmm::KernelCache::default_directory());
  auto cache = KTSTR_TRY(vmm::KernelCache::open(place, &complete_entry, std::move(notice)));
  return KernelStore(std::move(cache));
}

/// Index files of another version, or damaged ones, are made anew from vmlinux, and that from the bzImage.
Result<CachedKernel> KernelStore::ready(vmm::CacheEntry entry, vmm::CheckDepth depth) const {
  const auto repair = plan_repair(entry, cache_.check(entry, depth));
  if (!repair.lost.empty()) return damaged(entry, repair.lost);
  if (repair.elf && cache_.is_read_only()) return damaged(entry, {entry.elf()});
  if (!repair.elf && !repair.index && files_are_usable(entry)) return describe_files(std::move(entry));
  if (cache_.is_read_only()) return with_private_files(std::move(entry));
  KTSTR_TRY(cache_.renew(entry, {.elf = repair.elf, .config = {}}));
  if (!repair.found.empty() && cache_.notice())
    cache_.notice()(fmt::format("cached kernel {}: {} damaged, made again from {}", entry.metadata.release,
                                fmt::join(repair.found, ", "), repair.elf ? "bzImage" : "vmlinux"));
  return describe_files(std::move(entry));
}

Result<CachedKernel> KernelStore::with_private_files(vmm::CacheEntry entry) const {
  auto files = KTSTR_TRY(make_private_files(entry.elf(), entry.metadata));
  auto kernel = describe_files(std::move(entry));
  kernel.symbols = files.symbols;
  kernel.btf = files.btf;
  kernel.private_files = std::move(files.owner);
  return kernel;
}

Result<CachedKernel> KernelStore::resolve(const std::optional<std::string>& spec) const {
  return ready(KTSTR_TRY(cache_.resolve(spec)), vmm::CheckDepth::kTouched);
}

Result<CachedKernel> KernelStore::fetch(const vmm::FetchOptions& options) const {
  return ready(KTSTR_TRY(vmm::fetch_debian_kernel(cache_, options)), vmm::CheckDepth::kAll);
}

Result<CachedKernel> KernelStore::add(const fs::path& image, const std::optional<fs::path>& config) const {
  if (image.empty()) return invalid_argument("kernel add: the path is empty; give a bzImage or an ELF");
  return ready(KTSTR_TRY(cache_.add({image, config, {}})), vmm::CheckDepth::kAll);
}

Result<KernelStore::Listing> KernelStore::list() const {
  auto entries = KTSTR_TRY(cache_.list());
  Listing listing{.kernels = {}, .damaged = std::move(entries.damaged), .default_kernel = {}};
  if (const auto* chosen = vmm::KernelCache::find_default(entries, vmm::default_entry(cache_.directory())))
    listing.default_kernel = chosen->directory;
  for (auto& entry : entries.entries) listing.kernels.push_back(describe_files(std::move(entry)));
  return listing;
}

Result<std::vector<Error>> KernelStore::verify() const {
  auto entries = KTSTR_TRY(cache_.list());
  std::vector<Error> problems = std::move(entries.damaged);
  for (auto& entry : entries.entries)
    if (auto checked = ready(std::move(entry), vmm::CheckDepth::kAll); !checked)
      problems.push_back(std::move(checked.error()));
  return problems;
}

Result<CachedKernel> KernelStore::make_default(const std::string& spec) const {
  auto entry = KTSTR_TRY(cache_.resolve(spec));
  KTSTR_TRY(cache_.make_default(entry));
  return describe_files(std::move(entry));
}

Result<std::vector<std::string>> KernelStore::clean(const vmm::CleanSelection& selection) const {
  return cache_.clean(selection);
}

}  // namespace ktstr::engine
