#include "vmm/kernels/cache.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <string.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "engine/base/durable_file.h"
#include "engine/base/elf_image.h"
#include "engine/base/mapped_file.h"
#include "engine/base/nearest.h"
#include "engine/base/printable.h"
#include "engine/base/read_format.h"
#include "engine/base/units.h"
#include "engine/base/write.h"
#include "vmm/kernels/config_beside.h"
#include "vmm/kernels/default_kernel.h"
#include "vmm/kernels/file_records.h"
#include "vmm/kernels/release.h"

namespace ktstr::vmm {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kMetadataFile = "metadata.json";
constexpr std::size_t kIdentityDigits = 12;
constexpr std::uint64_t kMaxConfigBytes = 4 << 20;

std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// The entry's directory name: the release, and enough of the build id (or of the contents) to tell builds
/// apart.
std::string entry_name(const KernelMetadata& metadata) {
  const std::string identity = metadata.build_id.value_or(metadata.image_checksum).substr(0, kIdentityDigits);
  return fmt::format("{}-{}{}", metadata.release, identity,
                     metadata.image_format == ImageFormat::kElf ? "-elf" : "");
}

bool is_newer(const CacheEntry& a, const CacheEntry& b) {
  const auto order = compare_releases(a.metadata.release, b.metadata.release);
  if (order != 0) return order > 0;
  return std::tie(a.metadata.added, a.directory) > std::tie(b.metadata.added, b.directory);
}

/// By the release, its beginning, or the name of the entry's directory, which begins with the release.
bool is_named(const CacheEntry& entry, std::string_view spec) {
  return names_release(spec, entry.directory.filename().string());
}

/// Members that a newer ktstr added are left out and told.
Result<KernelMetadata> parse_metadata(std::string_view json, const fs::path& file) {
  const auto tree = KTSTR_TRY(parse_json(json));
  const auto found = KTSTR_TRY(format_of(tree, "format", {1, 0}));
  KernelMetadata metadata;
  if (const auto note = KTSTR_TRY(read_format(tree, metadata, found, kMetadataFormat)); !note.empty())
    spdlog::warn("{}", printable(file.string() + ": " + note));
  metadata.format = kMetadataFormat.to_string();
  return metadata;
}

Result<KernelMetadata> read_metadata(const fs::path& directory) {
  const MappedFile file = KTSTR_TRY(MappedFile::open(directory / kMetadataFile));
  auto metadata = KTSTR_TRY(parse_metadata(text_of(file.bytes()), directory / kMetadataFile),
                            (directory / kMetadataFile).string());
  if (!fs::is_regular_file(directory / "vmlinux")) return corrupted(directory.string() + ": no vmlinux");
  return metadata;
}

Status write_metadata(const fs::path& directory, const KernelMetadata& metadata) {
  return write_new_file(directory / kMetadataFile, to_pretty_json(metadata) + "\n");
}

/// Whether the kernel has sched_ext: its configuration says so; without one, the name of struct sched_ext_ops
/// in its BTF does.
bool has_sched_ext(std::optional<std::string_view> config, std::span<const std::byte> btf) {
  if (config) return ("\n" + std::string(*config)).find("\nCONFIG_SCHED_CLASS_EXT=y\n") != std::string::npos;
  constexpr std::string_view kStruct("\0sched_ext_ops", 15);
  return memmem(btf.data(), btf.size(), kStruct.data(), kStruct.size()) != nullptr;
}

Result<std::optional<MappedFile>> open_config(const std::optional<fs::path>& path) {
  if (!path) return std::optional<MappedFile>();
  MappedFile config = KTSTR_TRY(MappedFile::open(*path));
  if (config.bytes().size() > kMaxConfigBytes)
    return invalid_argument(path->string() + ": too large for a kernel configuration");
  return std::optional(std::move(config));
}

Result<std::span<const std::byte>> btf_section(const ExtractedKernel& kernel) {
  const ElfImage elf = KTSTR_TRY(ElfImage::open(kernel.elf));
  const ElfSection* btf = elf.section(".BTF");
  if (!btf || btf->bytes.empty())
    return invalid_argument(fmt::format(
        "kernel {} has no BTF (CONFIG_DEBUG_INFO_BTF is off), without which its structures can't be read",
        kernel.release));
  return btf->bytes;
}

/// "7.3.4" of "7.3.4+deb13-cloud-amd64".
std::string_view version_of(std::string_view release) {
  return release.substr(0, release.find_first_not_of("0123456789."));
}

/// Whether a `--kernel` argument means a file rather than a release.
bool is_path(std::string_view spec) {
  return spec.find('/') != std::string_view::npos || spec.empty() || spec[0] < '0' || spec[0] > '9';
}

Result<std::string> file_source(const fs::path& path) {
  std::error_code error;
  const auto absolute = fs::absolute(path, error);
  if (path.empty() || error) return invalid_argument("no path of a kernel image: \"" + path.string() + "\"");
  return "file " + absolute.string();
}

}  // namespace

fs::path CacheEntry::bzimage() const {
  return metadata.image_format == ImageFormat::kBzImage ? directory / "bzImage" : fs::path();
}
fs::path CacheEntry::config() const {
  std::error_code ignored;
  return fs::exists(directory / "config", ignored) ? directory / "config" : fs::path();
}

Result<fs::path> KernelCache::default_directory() {
  const auto variable = [](const char* name) -> fs::path {
    const char* value = ::getenv(name);
    return value ? value : "";
  };
  if (const fs::path own = variable("KTSTR_CACHE"); !own.empty()) return own;
  if (const fs::path xdg = variable("XDG_CACHE_HOME"); xdg.is_absolute()) return xdg / "ktstr";
  if (const fs::path home = variable("HOME"); !home.empty()) return home / ".cache" / "ktstr";
  return Error{ErrorCode::kUnavailable,
               "no place for the kernel cache: none of KTSTR_CACHE, XDG_CACHE_HOME, HOME is set"};
}

Result<KernelCache> KernelCache::open(const fs::path& directory, CompleteEntry complete, Notice notice) {
  KernelCache cache(directory / "kernels", std::move(complete), std::move(notice));
  KTSTR_TRY(cache.prepare());
  return cache;
}

Status KernelCache::prepare() {
  std::error_code error;
  fs::create_directories(directory_, error);
  if (error) return system_error("create " + directory_.string(), error.value());
  read_only_ = ::access(directory_.c_str(), W_OK) != 0;
  if (read_only_) return ok();
  const FileLock held = KTSTR_TRY(lock());
  return StagingDirectory::remove_stale(directory_);
}

Result<FileLock> KernelCache::lock() const {
  return FileLock::wait(directory_ / ".lock", notice_);
}

Result<StagingDirectory> KernelCache::scratch() const {
  if (read_only_)
    return Error{ErrorCode::kUnavailable, "the kernel cache " + directory_.string() +
                                              " may not be written to: KTSTR_CACHE names another"};
  const FileLock held = KTSTR_TRY(lock());
  return StagingDirectory::create(directory_);
}

Result<KernelCache::Listing> KernelCache::list() const {
  Listing listing;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(directory_, error)) {
    if (entry.path().filename().string().starts_with(".")) continue;
    auto metadata = read_metadata(entry.path());
    if (metadata)
      listing.entries.push_back({entry.path(), std::move(*metadata)});
    else
      listing.damaged.push_back(std::move(metadata.error()));
  }
  if (error) return system_error("list " + directory_.string(), error.value());
  std::sort(listing.entries.begin(), listing.entries.end(), is_newer);
  return listing;
}

Error KernelCache::not_cached(const std::optional<std::string>& spec, const Listing& listing) const {
  std::vector<std::string_view> releases;
  for (const CacheEntry& entry : listing.entries) releases.push_back(entry.metadata.release);
  std::string message =
      spec ? fmt::format("no kernel {0} is cached: `ktstr kernel fetch {0}` gets one", *spec)
           : "no kernel that can run sched_ext schedulers is cached: `ktstr kernel fetch` gets one";
  if (const auto nearest = spec ? nearest_name(*spec, releases) : std::nullopt)
    message += fmt::format(" (did you mean {}?)", *nearest);
  message +=
      releases.empty() ? "; the cache is empty" : fmt::format("; cached: {}", fmt::join(releases, ", "));
  for (const Error& damaged : listing.damaged) message += "; damaged: " + damaged.message;
  return {ErrorCode::kNotFound, message};
}

const CacheEntry* KernelCache::find_default(const Listing& listing,
                                            const std::optional<std::string>& chosen) {
  const CacheEntry* best = nullptr;
  for (const CacheEntry& entry : listing.entries) {
    if (entry.directory.filename() == chosen.value_or("")) return &entry;
    if (!entry.metadata.can_run_schedulers()) continue;
    const bool is_better =
        !best || (version_of(entry.metadata.release) == version_of(best->metadata.release) &&
                  entry.metadata.is_fetched() && !best->metadata.is_fetched());
    if (is_better) best = &entry;
  }
  return best;
}

Status KernelCache::make_default(const CacheEntry& entry) const {
  const StagingDirectory staging = KTSTR_TRY(scratch());
  return set_default_entry(directory_, entry.directory.filename().string(), staging.path());
}

Result<CacheEntry> KernelCache::resolve(const std::optional<std::string>& spec) const {
  if (spec && is_path(*spec)) return add({*spec, std::nullopt, {}});
  const Listing listing = KTSTR_TRY(list());
  if (!spec) {
    const auto* const chosen = find_default(listing, default_entry(directory_));
    if (chosen) return *chosen;
    return not_cached(spec, listing);
  }
  const auto found =
      std::ranges::find_if(listing.entries, [&](const auto& entry) { return is_named(entry, *spec); });
  if (found == listing.entries.end()) return not_cached(spec, listing);
  return *found;
}

Result<CacheEntry> KernelCache::add(const KernelToAdd& kernel) const {
  KernelMetadata metadata;
  metadata.source = kernel.source.empty() ? KTSTR_TRY(file_source(kernel.image)) : kernel.source;
  const MappedFile image = KTSTR_TRY(MappedFile::open(kernel.image));
  metadata.image_checksum = checksum(image.bytes());
  metadata.image_bytes = image.bytes().size();
  auto listing = KTSTR_TRY(list());
  for (CacheEntry& entry : listing.entries) {
    if (entry.metadata.image_checksum != metadata.image_checksum ||
        entry.metadata.image_bytes != metadata.image_bytes)
      continue;
    const auto config = kernel.config ? kernel.config : config_beside(kernel.image, entry.metadata.release);
    if (config && entry.config().empty() && !read_only_)
      KTSTR_TRY(renew(entry, {.elf = false, .config = config}));
    return std::move(entry);
  }
  return add_new(kernel, std::move(metadata), image.bytes());
}

Result<CacheEntry> KernelCache::add_new(const KernelToAdd& kernel, KernelMetadata metadata,
                                        std::span<const std::byte> image) const {
  auto extracted = KTSTR_TRY(extract_kernel(image), metadata.source);
  auto btf = KTSTR_TRY(btf_section(extracted), metadata.source);
  const auto config =
      KTSTR_TRY(open_config(kernel.config ? kernel.config : config_beside(kernel.image, extracted.release)));
  metadata.release = extracted.release;
  metadata.build_id = extracted.build_id;
  metadata.image_format = extracted.format;
  metadata.added = utc_text(std::chrono::system_clock::now());
  metadata.sched_ext = has_sched_ext(config ? std::optional(text_of(config->bytes())) : std::nullopt, btf);

  StagingDirectory staging = KTSTR_TRY(scratch());
  if (extracted.format == ImageFormat::kBzImage) KTSTR_TRY(write_new_file(staging.path() / "bzImage", image));
  KTSTR_TRY(write_new_file(staging.path() / "vmlinux", extracted.elf));
  if (config) KTSTR_TRY(write_new_file(staging.path() / "config", config->bytes()));
  KTSTR_TRY(complete_(staging.path(), metadata), metadata.source);
  KTSTR_TRY(write_metadata(staging.path(), metadata));
  KTSTR_TRY(KTSTR_TRY(FileRecords::of(staging.path())).save(staging.path()));
  return publish(std::move(staging), std::move(metadata));
}

Result<CacheEntry> KernelCache::publish(StagingDirectory staging, KernelMetadata metadata) const {
  const fs::path target = directory_ / entry_name(metadata);
  const FileLock held = KTSTR_TRY(lock());
  if (fs::exists(target)) {
    if (auto existing = read_metadata(target)) return CacheEntry{target, std::move(*existing)};
    KTSTR_TRY(remove(target));
  }
  KTSTR_TRY(staging.publish(target));
  return CacheEntry{target, std::move(metadata)};
}

/// Moves the entry out of sight in one step; what was moved is removed with the staging directory.
/// Precondition: locked.
Status KernelCache::remove(const fs::path& entry) const {
  const StagingDirectory staging = KTSTR_TRY(StagingDirectory::create(directory_));
  std::error_code error;
  fs::rename(entry, staging.path() / entry.filename(), error);
  if (error) return system_error("remove " + entry.string(), error.value());
  return ok();
}

Result<std::vector<std::string>> KernelCache::clean(const CleanSelection& selection) const {
  const FileLock held = KTSTR_TRY(lock());
  const Listing listing = KTSTR_TRY(list());
  std::vector<std::string> removed;
  std::size_t kept = 0;
  bool matched = false;
  for (const CacheEntry& entry : listing.entries) {
    if (selection.spec && !is_named(entry, *selection.spec)) continue;
    matched = true;
    if (kept++ < selection.keep_newest.value_or(0)) continue;
    KTSTR_TRY(remove(entry.directory));
    removed.push_back(entry.metadata.release);
  }
  if (selection.spec && !matched) return not_cached(selection.spec, listing);
  if (selection.spec) return removed;
  for (const auto& entry : fs::directory_iterator(directory_)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with(".") || read_metadata(entry.path())) continue;
    KTSTR_TRY(remove(entry.path()));
    removed.push_back(name);
  }
  return removed;
}

}  // namespace ktstr::vmm
