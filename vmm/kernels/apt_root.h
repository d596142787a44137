// AptRoot: an apt of our own, beside the machine's.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"
#include "vmm/kernels/command.h"

namespace ktstr::vmm {

/// One package of an index.
struct IndexedPackage {
  std::string name;
  std::string version;
  std::uint64_t bytes = 0;  ///< size of the .deb
};

/// The packages in the text of a Packages index (deb822 stanzas). A stanza without name or version is left
/// out.
[[nodiscard]] std::vector<IndexedPackage> parse_package_index(std::string_view text);

/// One line of `apt-get indextargets`: a package index that the machine's apt knows of.
struct AptTarget {
  std::string uri;      ///< of the repository
  std::string release;  ///< suite or codename, as in the sources
  std::string origin;   ///< of the Release file; empty when it was never downloaded
  std::string label;
};

/// The repository of Debian's archive among what the machine's apt uses: the one that calls itself Debian or,
/// before a first `apt-get update`, that has a suite of Debian's and is neither security nor removable media.
[[nodiscard]] std::optional<std::string> choose_debian_archive(const std::vector<AptTarget>& targets);

/// State, lists, sources and downloads below a directory of our own; proxies and other settings are the
/// machine's. Nothing unsigned is accepted, whatever the machine's settings say. One process at a time.
class AptRoot {
 public:
  /// Sets the directory up for one suite of Debian's archive for amd64. Errors: kUnavailable when the machine
  /// has no apt, no debian-archive-keyring, or no Debian archive among its sources.
  [[nodiscard]] static Result<AptRoot> open(const std::filesystem::path& directory, std::string_view suite,
                                            std::stop_token stop);

  /// Downloads the suite's index and checks its signature. Errors: kUnavailable with apt's own words.
  [[nodiscard]] Status update() const;
  [[nodiscard]] Result<std::vector<IndexedPackage>> packages() const;
  /// Downloads one package into a directory and checks it against the index.
  [[nodiscard]] Result<std::filesystem::path> download(const IndexedPackage& package,
                                                       const std::filesystem::path& into) const;

 private:
  AptRoot(std::filesystem::path directory, std::stop_token stop)
      : directory_(std::move(directory)), stop_(std::move(stop)) {}

  [[nodiscard]] Command command(std::vector<std::string> arguments) const;

  std::filesystem::path directory_;
  std::stop_token stop_;
};

}  // namespace ktstr::vmm
