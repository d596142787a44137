#include "engine/kernels/kernel_store.h"

#include "engine/base/durable_file.h"
#include "engine/base/elf_image.h"
#include "engine/base/mapped_file.h"
#include "engine/kernels/sched_ext_support.h"
#include "introspect/symbols/kallsyms.h"

namespace ktstr::engine {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kSymbolsFile = "symbols";
constexpr std::string_view kBtfFile = "btf";

/// Makes the symbol index and the BTF file beside `directory`/vmlinux; see vmm::CompleteEntry.
Status complete_entry(const fs::path& directory, vmm::KernelMetadata& metadata) {
  const MappedFile file = KTSTR_TRY(MappedFile::open(directory / "vmlinux"));
  const ElfImage elf = KTSTR_TRY(ElfImage::open(file.bytes()));
  const auto symbols = KTSTR_TRY(introspect::decode_kallsyms(elf));
  KTSTR_TRY_STATUS(symbols.save(directory / kSymbolsFile));
  const ElfSection* btf = elf.section(".BTF");
  if (!btf) return Error{ErrorCode::kInvalidArgument, "kernel " + metadata.release + " has no BTF"};
  KTSTR_TRY_STATUS(write_durably(directory / kBtfFile, btf->bytes));
  if (metadata.sched_ext) metadata.sched_ext_defect = KTSTR_TRY(find_sched_ext_defect(btf->bytes));
  return ok();
}

CachedKernel describe_files(vmm::CacheEntry entry) {
  return {entry.directory,
          entry.bzimage(),
          entry.elf(),
          entry.config(),
          entry.directory / kSymbolsFile,
          entry.directory / kBtfFile,
          std::move(entry.metadata)};
}

bool files_are_usable(const CachedKernel& kernel) {
  const auto btf = MappedFile::open(kernel.btf);
  return btf && !btf->bytes().empty() && introspect::SymbolTable::load(kernel.symbols);
}

}  // namespace

Result<KernelStore> KernelStore::open(const std::optional<fs::path>& directory) {
  const fs::path place = directory ? *directory : KTSTR_TRY(vmm::KernelCache::default_directory());
  auto cache = KTSTR_TRY(vmm::KernelCache::open(place, &complete_entry));
  return KernelStore(std::move(cache));
}

/// Index files of another version, or damaged ones, are made anew from vmlinux.
Result<CachedKernel> KernelStore::ready(vmm::CacheEntry entry) const {
  CachedKernel kernel = describe_files(entry);
  if (files_are_usable(kernel)) return kernel;
  KTSTR_TRY_STATUS(cache_.renew(entry));
  return describe_files(std::move(entry));
}

Result<CachedKernel> KernelStore::resolve(const std::optional<std::string>& spec) const {
  return ready(KTSTR_TRY(cache_.resolve(spec)));
}

Result<CachedKernel> KernelStore::fetch(const vmm::FetchOptions& options) const {
  return ready(KTSTR_TRY(vmm::fetch_debian_kernel(cache_, options)));
}

Result<CachedKernel> KernelStore::add(const fs::path& image, const std::optional<fs::path>& config) const {
  if (image.empty())
    return Error{ErrorCode::kInvalidArgument, "kernel add: the path is empty; give a bzImage or an ELF"};
  return ready(KTSTR_TRY(cache_.add({image, config, "file " + fs::absolute(image).string()})));
}

Result<KernelStore::Listing> KernelStore::list() const {
  auto entries = KTSTR_TRY(cache_.list());
  Listing listing{{}, std::move(entries.damaged)};
  for (auto& entry : entries.entries) listing.kernels.push_back(describe_files(std::move(entry)));
  return listing;
}

Result<std::vector<std::string>> KernelStore::clean(const vmm::CleanSelection& selection) const {
  return cache_.clean(selection);
}

}  // namespace ktstr::engine
