// KernelCache: whether entries are what they were, and making them so again.
#include <algorithm>

#include "engine/base/durable_file.h"
#include "engine/base/mapped_file.h"
#include "engine/base/write.h"
#include "vmm/kernels/cache.h"
#include "vmm/kernels/file_records.h"

namespace ktstr::vmm {
namespace {

namespace fs = std::filesystem;

bool is_image_of(const KernelMetadata& metadata, std::span<const std::byte> bytes) {
  return bytes.size() == metadata.image_bytes && checksum(bytes) == metadata.image_checksum;
}

/// The ELF inside a bzImage, or nothing when the image gives none.
Result<ExtractedKernel> unpack(const MappedFile& bzimage) {
  return extract_kernel(bzimage.bytes());
}

bool is_elf_of(const MappedFile& bzimage, const fs::path& elf) {
  const auto extracted = unpack(bzimage);
  const auto file = MappedFile::open(elf);
  return extracted && file && std::ranges::equal(extracted->elf, file->bytes());
}

EntryCheck check_unrecorded(const CacheEntry& entry) {
  EntryCheck found{.damaged = {}, .recorded = false};
  const auto path = entry.bzimage().empty() ? entry.elf() : entry.bzimage();
  const auto image = MappedFile::open(path);
  if (!image || !is_image_of(entry.metadata, image->bytes()))
    found.damaged.push_back(path.filename().string());
  else if (!entry.bzimage().empty() && !is_elf_of(*image, entry.elf()))
    found.damaged.push_back(entry.elf().filename().string());
  return found;
}

Status link(const fs::path& file, const fs::path& from) {
  std::error_code error;
  fs::create_symlink(file, from, error);
  return error ? Status(system_error("link " + file.string(), error.value())) : ok();
}

/// What complete_ works on: the entry's own files, and in place of links what is to be made anew.
Status stage(const CacheEntry& entry, const Renewal& what, const fs::path& staging) {
  if (what.elf) {
    const auto image = KTSTR_TRY(MappedFile::open(entry.bzimage()));
    KTSTR_TRY(write_new_file(staging / "vmlinux", KTSTR_TRY(unpack(image)).elf));
  } else {
    KTSTR_TRY(link(entry.elf(), staging / "vmlinux"));
  }
  if (what.config) {
    const auto config = KTSTR_TRY(MappedFile::open(*what.config));
    return write_new_file(staging / "config", config.bytes());
  }
  return entry.config().empty() ? ok() : link(entry.config(), staging / "config");
}

/// Puts what was made into the entry, links left out.
Status move_files(const fs::path& staging, const fs::path& entry) {
  std::error_code error;
  for (const auto& file : fs::directory_iterator(staging, error)) {
    if (file.is_symlink()) continue;
    fs::rename(file.path(), entry / file.path().filename(), error);
    if (error) return system_error("rename " + file.path().string(), error.value());
  }
  if (error) return system_error("list " + staging.string(), error.value());
  return sync_directory(entry);
}

}  // namespace

EntryCheck KernelCache::check(const CacheEntry& entry, CheckDepth depth) const {
  const auto records = FileRecords::load(entry.directory);
  if (!records) return check_unrecorded(entry);
  auto damage = compare_files(*records, entry.directory, depth);
  if (damage.touched && damage.damaged.empty() && !read_only_) {
    // A cache that can't be written to after all is read again next time.
    const auto held = lock();
    const auto now = FileRecords::of(entry.directory);
    if (held && now) static_cast<void>(now->save(entry.directory));
  }
  return {.damaged = std::move(damage.damaged), .recorded = true};
}

Status KernelCache::renew(CacheEntry& entry, const Renewal& what) const {
  const StagingDirectory staging = KTSTR_TRY(scratch());
  KTSTR_TRY(stage(entry, what, staging.path()));
  KTSTR_TRY(complete_(staging.path(), entry.metadata));
  KTSTR_TRY(write_new_file(staging.path() / "metadata.json", to_pretty_json(entry.metadata) + "\n"));
  const FileLock held = KTSTR_TRY(lock());
  KTSTR_TRY(move_files(staging.path(), entry.directory));
  return KTSTR_TRY(FileRecords::of(entry.directory)).save(entry.directory);
}

}  // namespace ktstr::vmm
