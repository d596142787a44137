// KernelStore: cached kernels with everything a run needs of them.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/result.h"
#include "vmm/kernels/cache.h"
#include "vmm/kernels/debian_fetch.h"

namespace ktstr::engine {

/// A kernel ready to boot and to look into. The files stay until the kernel is cleaned from the cache.
struct CachedKernel {
  std::filesystem::path directory;
  std::filesystem::path bzimage;  ///< empty when the kernel was added as an ELF
  std::filesystem::path elf;
  std::filesystem::path config;   ///< empty when not known
  std::filesystem::path symbols;  ///< introspect::SymbolTable's index file
  std::filesystem::path btf;      ///< the raw .BTF section
  vmm::KernelMetadata metadata;
  std::shared_ptr<const void> private_files{};  ///< keeps symbols and btf where the cache can't hold them
};

/// Safe between processes; an object is for one thread.
class KernelStore {
 public:
  struct Listing {
    std::vector<CachedKernel> kernels;  ///< newest release first
    std::vector<Error> damaged;         ///< entries that can't be used; clean() without a spec removes them
    std::filesystem::path default_kernel;  ///< its directory; empty when none can be
  };

  /// Opens (and creates if need be) the cache in `directory`; by default where
  /// vmm::KernelCache::default_directory() says. `notice` is told what keeps the user waiting, and what was
  /// repaired.
  [[nodiscard]] static Result<KernelStore> open(
      const std::optional<std::filesystem::path>& directory = std::nullopt, vmm::Notice notice = {});

  /// The kernel that `spec` means (PATH, VERSION or PREFIX); by default vmm::KernelCache::find_default().
  /// Never uses the network. Files that were written to since they were last found right are read and
  /// compared with their checksums; what can be made of others is repaired. Errors:
  /// vmm::KernelCache::resolve() and add(); kCorrupt naming a file that is damaged.
  [[nodiscard]] Result<CachedKernel> resolve(const std::optional<std::string>& spec) const;

  /// Gets a kernel of Debian's; see vmm::fetch_debian_kernel(). A cached one is returned at once, without the
  /// network.
  [[nodiscard]] Result<CachedKernel> fetch(const vmm::FetchOptions& options) const;

  /// Adds a bzImage or ELF with its configuration: the one that the kernel itself holds (IKCONFIG), else
  /// `config`, else the one beside the image (vmm::config_beside()). Errors: vmm::KernelCache::add(); a
  /// kernel that the agent can't run on.
  [[nodiscard]] Result<CachedKernel> add(
      const std::filesystem::path& image,
      const std::optional<std::filesystem::path>& config = std::nullopt) const;

  [[nodiscard]] Result<Listing> list() const;
  /// Reads all files of all kernels and repairs what can be; what can't be used is in the list.
  [[nodiscard]] Result<std::vector<Error>> verify() const;
  /// Makes the kernel that `spec` means the default.
  [[nodiscard]] Result<CachedKernel> make_default(const std::string& spec) const;
  /// Removes kernels and returns their releases.
  [[nodiscard]] Result<std::vector<std::string>> clean(const vmm::CleanSelection& selection) const;

 private:
  explicit KernelStore(vmm::KernelCache cache) : cache_(std::move(cache)) {}
  [[nodiscard]] Result<CachedKernel> ready(vmm::CacheEntry entry, vmm::CheckDepth depth) const;
  [[nodiscard]] Result<CachedKernel> with_private_files(vmm::CacheEntry entry) const;

  vmm::KernelCache cache_;
};

}  // namespace ktstr::engine
