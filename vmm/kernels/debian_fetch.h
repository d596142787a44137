// Kernels from Debian's archive, through apt.
#pragma once

#include <array>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"
#include "vmm/kernels/apt_root.h"
#include "vmm/kernels/cache.h"

namespace ktstr::vmm {

/// A cloud kernel that an index offers.
struct KernelPackages {
  std::string release;                 ///< "7.3.4+deb13-cloud-amd64"
  std::vector<IndexedPackage> images;  ///< packages that may hold its image, the likeliest first
  std::optional<IndexedPackage>
      config;  ///< the package that may hold its configuration, when it is a separate one
};

/// All cloud kernels for amd64 in an index, newest first.
[[nodiscard]] std::vector<KernelPackages> find_kernel_packages(const std::vector<IndexedPackage>& index);

/// Why a kernel of this release is never taken by default, or nullopt.
[[nodiscard]] std::optional<std::string_view> unfit_reason(std::string_view release);

/// The suite that the default kernel comes from, and the first that is asked for any other.
inline constexpr std::string_view kDebianSuite = "trixie-backports";
/// The suites that are asked in turn: a stable release has an older series than its backports, testing may
/// have one that the backports do not have any more.
inline constexpr std::array<std::string_view, 3> kDebianSuites = {kDebianSuite, "trixie", "forky"};

struct FetchOptions {
  /// "6.18" or "6.18.15"; by default the newest that schedulers work on.
  std::optional<std::string> series;
  /// Ask the archive even when a kernel that would do is cached.
  bool refresh = false;
  /// Told in a few words what is being done, from the calling thread.
  std::function<void(std::string_view)> progress = [](std::string_view) {};
  /// Ends the fetch with kCancelled.
  std::stop_token stop;
};

/// Fetches the newest fitting cloud kernel for amd64 of the first of kDebianSuites that has one, and adds it
/// to the cache. The mirror and proxies are those of the machine's apt; its sources, lists and packages are
/// neither used nor changed; signatures are checked against its debian-archive-keyring. What is cached
/// already is returned without the network. Errors: kUnavailable, with apt's own words, when there is no apt,
/// keyring or network; kNotFound for a series that no suite has; of a suite that could not be asked the
/// message says why.
[[nodiscard]] Result<CacheEntry> fetch_debian_kernel(const KernelCache& cache, const FetchOptions& options);

}  // namespace ktstr::vmm
