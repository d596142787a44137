// KernelStore: cached kernels with everything a run needs of them.
#pragma once

#include <filesystem>
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
};

/// Safe between processes; an object is for one thread.
class KernelStore {
 public:
  struct Listing {
    std::vector<CachedKernel> kernels;  ///< newest release first
    std::vector<Error> damaged;         ///< entries that can't be used; clean() without a spec removes them
  };

  /// Opens (and creates if need be) the cache in `directory`; by default where
  /// vmm::KernelCache::default_directory() says.
  [[nodiscard]] static Result<KernelStore> open(
      const std::optional<std::filesystem::path>& directory = std::nullopt);

  /// The kernel that `spec` means (PATH, VERSION or PREFIX); by default the newest that can run sched_ext
  /// schedulers. Never uses the network. Errors: vmm::KernelCache::resolve() and add().
  [[nodiscard]] Result<CachedKernel> resolve(const std::optional<std::string>& spec) const;

  /// Gets a kernel of Debian's; see vmm::fetch_debian_kernel(). A cached one is returned at once, without the
  /// network.
  [[nodiscard]] Result<CachedKernel> fetch(const vmm::FetchOptions& options) const;

  /// Adds a bzImage or ELF with, if known, its configuration.
  [[nodiscard]] Result<CachedKernel> add(
      const std::filesystem::path& image,
      const std::optional<std::filesystem::path>& config = std::nullopt) const;

  [[nodiscard]] Result<Listing> list() const;
  /// Removes kernels and returns their releases.
  [[nodiscard]] Result<std::vector<std::string>> clean(const vmm::CleanSelection& selection) const;

 private:
  explicit KernelStore(vmm::KernelCache cache) : cache_(std::move(cache)) {}
  [[nodiscard]] Result<CachedKernel> ready(vmm::CacheEntry entry) const;

  vmm::KernelCache cache_;
};

}  // namespace ktstr::engine
