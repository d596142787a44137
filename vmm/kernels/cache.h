// KernelCache: kernels on disk, one directory each, safe between processes.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"
#include "vmm/kernels/file_records.h"
#include "vmm/kernels/metadata.h"
#include "vmm/kernels/staging.h"

namespace ktstr::vmm {

/// One kernel in the cache. The directory holds vmlinux, bzImage when it was added as one, config when known,
/// metadata.json, what the cache's owner made of them, and checksums.json of all these.
struct CacheEntry {
  std::filesystem::path directory;
  KernelMetadata metadata;

  [[nodiscard]] std::filesystem::path elf() const { return directory / "vmlinux"; }
  /// Empty when the kernel was added as an ELF.
  [[nodiscard]] std::filesystem::path bzimage() const;
  /// Empty when the configuration is not known.
  [[nodiscard]] std::filesystem::path config() const;
};

/// Makes further files of a kernel that is being added: called with the directory that holds vmlinux (and
/// bzImage, config), and with the metadata, which it may complete. Files must be on disk (write_new_file)
/// when it returns. An error refuses the kernel.
using CompleteEntry = std::function<Status(const std::filesystem::path& directory, KernelMetadata& metadata)>;

/// A kernel to add.
struct KernelToAdd {
  std::filesystem::path image;                  ///< bzImage or ELF
  std::optional<std::filesystem::path> config;  ///< the .config it was built with
  std::string source{};                         ///< for people: where it came from; empty: the file
};

/// What clean() removes.
struct CleanSelection {
  std::optional<std::string> spec;  ///< only kernels that this names (see names_release()); all when absent
  std::optional<std::size_t> keep_newest;  ///< except this many of them
};

/// Whether an entry's files are what was put there.
struct EntryCheck {
  std::vector<std::string> damaged;  ///< names of files that are not, or are gone
  bool recorded = true;  ///< false: of an older version of ktstr; what was made of the image is unproven
};

/// What renew() makes anew beside the further files.
struct Renewal {
  bool elf = false;                               ///< vmlinux too, from the bzImage
  std::optional<std::filesystem::path> config{};  ///< a configuration to take in
};

class KernelCache {
 public:
  struct Listing {
    std::vector<CacheEntry> entries;  ///< newest release first
    std::vector<Error> damaged;       ///< directories that are no valid entry; clean() removes them
  };

  /// $KTSTR_CACHE, else $XDG_CACHE_HOME/ktstr, else ~/.cache/ktstr. kUnavailable when none of the variables
  /// is set.
  [[nodiscard]] static Result<std::filesystem::path> default_directory();

  /// Opens the cache below `directory`, creating it if need be, and clears what killed processes left there.
  /// One that may not be written to can be read. `notice` is told what keeps the user waiting.
  [[nodiscard]] static Result<KernelCache> open(const std::filesystem::path& directory,
                                                CompleteEntry complete, Notice notice = {});

  [[nodiscard]] const std::filesystem::path& directory() const { return directory_; }
  [[nodiscard]] bool is_read_only() const { return read_only_; }
  [[nodiscard]] const Notice& notice() const { return notice_; }
  [[nodiscard]] Result<Listing> list() const;

  /// The kernel that `spec` means: a path (it has a `/`, or does not begin with a digit), a release or the
  /// beginning of one; of several the newest. None: the default. A file that is not cached yet is added.
  /// Errors: kNotFound, naming what is cached and the nearest; and those of add().
  [[nodiscard]] Result<CacheEntry> resolve(const std::optional<std::string>& spec) const;

  /// The entry that was made the default; without one, of those that can run schedulers the newest, and of
  /// several of that version the one that was fetched.
  [[nodiscard]] static const CacheEntry* find_default(const Listing& listing,
                                                      const std::optional<std::string>& chosen);
  /// Makes an entry the default until another is made so, or it is removed. Errors: kIo.
  [[nodiscard]] Status make_default(const CacheEntry& entry) const;

  /// Adds a kernel, or returns the entry that has it already, with the configuration if it had none. Without
  /// `config` the one beside the image is taken: see config_beside(). Errors: those of extract_kernel() with
  /// the path; kInvalidArgument for a kernel without BTF.
  [[nodiscard]] Result<CacheEntry> add(const KernelToAdd& kernel) const;

  /// Compares the entry's files with what was recorded when it was added, or last found right. In an entry
  /// without records the image is compared with its checksum, and vmlinux with the image.
  [[nodiscard]] EntryCheck check(const CacheEntry& entry, CheckDepth depth) const;

  /// Makes an entry's further files anew, and records all of its files.
  [[nodiscard]] Status renew(CacheEntry& entry, const Renewal& what = {}) const;

  /// Removes entries and returns their releases. A running guest keeps what it has opened.
  [[nodiscard]] Result<std::vector<std::string>> clean(const CleanSelection& selection) const;

  /// An empty directory for work that is to be thrown away.
  [[nodiscard]] Result<StagingDirectory> scratch() const;

 private:
  KernelCache(std::filesystem::path directory, CompleteEntry complete, Notice notice)
      : directory_(std::move(directory)), complete_(std::move(complete)), notice_(std::move(notice)) {}

  [[nodiscard]] Status prepare();
  [[nodiscard]] Result<FileLock> lock() const;
  [[nodiscard]] Result<CacheEntry> add_new(const KernelToAdd& kernel, KernelMetadata metadata,
                                           std::span<const std::byte> image) const;
  [[nodiscard]] Result<CacheEntry> publish(StagingDirectory staging, KernelMetadata metadata) const;
  [[nodiscard]] Status remove(const std::filesystem::path& entry) const;
  [[nodiscard]] Error not_cached(const std::optional<std::string>& spec, const Listing& listing) const;

  std::filesystem::path directory_;  ///< "kernels" below the cache directory
  CompleteEntry complete_;
  Notice notice_;
  bool read_only_ = false;
};

}  // namespace ktstr::vmm
