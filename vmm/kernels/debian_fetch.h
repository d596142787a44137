// Kernels from Debian's archive, through apt.
#pragma once

#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "engine/base/result.h"
#include "vmm/kernels/cache.h"

namespace ktstr::vmm {

/// The suite that kernels come from.
inline constexpr std::string_view kDebianSuite = "trixie-backports";

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

/// Fetches the newest fitting cloud kernel of Debian's backports for amd64 and adds it to the cache. The
/// mirror and proxies are those of the machine's apt; its sources, lists and packages are neither used nor
/// changed; signatures are checked against its debian-archive-keyring. What is cached already is returned
/// without the network. Errors: kUnavailable, with apt's own words, when there is no apt, keyring or network;
/// kNotFound for a series that the archive does not have.
[[nodiscard]] Result<CacheEntry> fetch_debian_kernel(const KernelCache& cache, const FetchOptions& options);

}  // namespace ktstr::vmm
