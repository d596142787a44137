#include "vmm/kernels/debian_fetch.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "vmm/kernel_image.h"
#include "vmm/kernels/apt_root.h"
#include "vmm/kernels/deb_archive.h"
#include "vmm/kernels/default_kernel.h"
#include "vmm/kernels/release.h"

namespace ktstr::vmm {
namespace {

constexpr std::string_view kFlavour = "-cloud-amd64";
constexpr std::string_view kConfigPrefix = "linux-base-";

/// How packages with an image are named around the release. In 7.x linux-image-* only depends on the others,
/// so it comes last.
struct NameForm {
  std::string_view prefix, suffix;
};
constexpr NameForm kImageForms[] = {{"linux-binary-unsigned-", ""},  // 7.2 and later
                                    {"linux-binary-", ""},           // 6.19 and later
                                    {"linux-image-", "-unsigned"},   // up to 6.18
                                    {"linux-image-", ""}};

struct UnfitSeries {
  std::string_view series, reason;
};
constexpr UnfitSeries kUnfitSeries[] = {
    {"7.1", "its BTF lacks scx_bpf_create_dsq_impl: no scheduler can create a dispatch queue"}};

/// The release in a package's name of the given form.
std::optional<std::string_view> release_in(std::string_view name, const NameForm& form) {
  if (!name.starts_with(form.prefix) || !name.ends_with(form.suffix)) return std::nullopt;
  if (name.size() <= form.prefix.size() + form.suffix.size()) return std::nullopt;
  name.remove_prefix(form.prefix.size());
  name.remove_suffix(form.suffix.size());
  if (!name.ends_with(kFlavour) || !is_valid_release(name)) return std::nullopt;
  return name;
}

KernelPackages& kernel_of(std::vector<KernelPackages>& kernels, std::string_view release) {
  const auto found = std::find_if(kernels.begin(), kernels.end(),
                                  [&](const KernelPackages& k) { return k.release == release; });
  return found != kernels.end() ? *found : kernels.emplace_back(KernelPackages{std::string(release), {}, {}});
}

namespace fs = std::filesystem;

/// How many series a default fetch goes back before it gives up.
constexpr std::size_t kMaxDefaultAttempts = 3;

/// The cached kernel that answers the request without asking the archive.
Result<std::optional<CacheEntry>> find_cached(const KernelCache& cache, const FetchOptions& options) {
  if (options.refresh) return std::optional<CacheEntry>();
  const auto listing = KTSTR_TRY(cache.list());
  const auto name = default_entry(cache.directory());
  for (const CacheEntry& entry : listing.entries) {
    const bool fits =
        options.series ? entry.metadata.is_fetched() && names_release(*options.series, entry.metadata.release)
                       : entry.directory.filename() == name && entry.metadata.can_run_schedulers();
    if (fits) return std::optional(entry);
  }
  return std::optional<CacheEntry>();
}

/// The kernels to try, best first: the newest of the series, or the newest of each of the newest fit series.
Result<std::vector<KernelPackages>> choose(const std::vector<KernelPackages>& offered,
                                           const FetchOptions& options, std::string_view suite) {
  std::vector<KernelPackages> chosen;
  std::string_view last_series;
  for (const KernelPackages& kernel : offered) {
    if (options.series) {
      if (!names_release(*options.series, kernel.release)) continue;
      return std::vector{kernel};
    }
    if (unfit_reason(kernel.release) || series_of(kernel.release) == last_series) continue;
    last_series = series_of(kernel.release);
    chosen.push_back(kernel);
    if (chosen.size() == kMaxDefaultAttempts) break;
  }
  if (!chosen.empty()) return chosen;
  std::vector<std::string_view> releases;
  for (const KernelPackages& kernel : offered) releases.push_back(kernel.release);
  return Error{ErrorCode::kNotFound,
               fmt::format("{} has {}", suite,
                           releases.empty() ? "no cloud kernel" : fmt::to_string(fmt::join(releases, ", ")))};
}

class Fetcher {
 public:
  Fetcher(const KernelCache& cache, const FetchOptions& options, const AptRoot& apt, std::string_view suite)
      : cache_(cache), options_(options), apt_(apt), suite_(suite) {}

  Result<CacheEntry> fetch(const KernelPackages& kernel) const {
    if (auto cached = KTSTR_TRY(already_cached(kernel))) return std::move(*cached);
    const StagingDirectory scratch = KTSTR_TRY(cache_.scratch());
    for (const IndexedPackage& package : kernel.images) {
      KernelFiles files = KTSTR_TRY(download(package, kernel.release, scratch.path()));
      if (!files.image) continue;
      if (!files.config && kernel.config)
        files.config = KTSTR_TRY(download(*kernel.config, kernel.release, scratch.path())).config;
      options_.progress(fmt::format("adding {} to the cache", kernel.release));
      return cache_.add({*files.image, files.config, source_of(package)});
    }
    return Error{ErrorCode::kNotFound, fmt::format("no package of {} holds its image", kernel.release)};
  }

 private:
  [[nodiscard]] std::string source_of(const IndexedPackage& package) const {
    return fmt::format("{}{} {} ({})", kFetchedSource, package.name, package.version, suite_);
  }

  Result<std::optional<CacheEntry>> already_cached(const KernelPackages& kernel) const {
    const auto listing = KTSTR_TRY(cache_.list());
    for (const CacheEntry& entry : listing.entries)
      for (const IndexedPackage& package : kernel.images)
        if (entry.metadata.source == source_of(package)) return std::optional(entry);
    return std::optional<CacheEntry>();
  }

  Result<KernelFiles> download(const IndexedPackage& package, std::string_view release,
                               const fs::path& into) const {
    options_.progress(
        fmt::format("downloading {} ({:.1f} MB)", package.name, static_cast<double>(package.bytes) / 1e6));
    const fs::path deb = KTSTR_TRY(apt_.download(package, into));
    return unpack_kernel(deb, release, into);
  }

  const KernelCache& cache_;
  const FetchOptions& options_;
  const AptRoot& apt_;
  std::string_view suite_;
};

/// kNotFound: the suite has no such kernel; the message says what it has.
Result<CacheEntry> fetch_from_suite(const KernelCache& cache, const FetchOptions& options,
                                    const fs::path& apt_directory, std::string_view suite) {
  const AptRoot apt = KTSTR_TRY(AptRoot::open(apt_directory, suite, options.stop));
  options.progress(fmt::format("updating the package index of {}", suite));
  KTSTR_TRY(apt.update());
  const auto index = KTSTR_TRY(apt.packages());
  const auto candidates = KTSTR_TRY(choose(find_kernel_packages(index), options, suite));
  std::string refused;
  for (const KernelPackages& kernel : candidates) {
    CacheEntry entry = KTSTR_TRY(Fetcher(cache, options, apt, suite).fetch(kernel));
    if (options.series) return entry;
    if (entry.metadata.can_run_schedulers()) {
      KTSTR_TRY(cache.make_default(entry));
      return entry;
    }
    refused +=
        fmt::format("; {}: {}", kernel.release, entry.metadata.sched_ext_defect.value_or("no sched_ext"));
    options.progress(fmt::format("{} can't run schedulers: {}", kernel.release,
                                 entry.metadata.sched_ext_defect.value_or("no sched_ext")));
  }
  return Error{ErrorCode::kNotFound, fmt::format("{} has none that can run schedulers{}", suite, refused)};
}

/// A suite that can't be asked leaves the others to be asked. When none could be, the first one's error is
/// the cause: no network, no keyring.
Result<CacheEntry> fetch_from_archive(const KernelCache& cache, const FetchOptions& options,
                                      const fs::path& apt_directory) {
  std::vector<std::string> answers;
  std::optional<Error> first_error;
  bool answered = false;
  for (const std::string_view suite : kDebianSuites) {
    auto fetched = fetch_from_suite(cache, options, apt_directory, suite);
    if (fetched) return fetched;
    const auto& error = fetched.error();
    const bool has_answered = error.code == ErrorCode::kNotFound;
    if (!has_answered && error.code != ErrorCode::kUnavailable) return fetched;
    answers.push_back(has_answered ? error.message
                                   : fmt::format("{} can't be asked: {}", suite, error.message));
    answered = answered || has_answered;
    if (!first_error) first_error = error;
  }
  if (!answered) return std::move(*first_error);
  return Error{ErrorCode::kNotFound,
               fmt::format("Debian has no cloud kernel {}: {}", options.series.value_or("for schedulers"),
                           fmt::join(answers, "; "))};
}

}  // namespace

std::vector<KernelPackages> find_kernel_packages(const std::vector<IndexedPackage>& index) {
  std::vector<KernelPackages> kernels;
  for (const NameForm& form : kImageForms)
    for (const IndexedPackage& package : index)
      if (const auto release = release_in(package.name, form))
        kernel_of(kernels, *release).images.push_back(package);
  for (KernelPackages& kernel : kernels) {
    const std::string name = std::string(kConfigPrefix) + kernel.release;
    const auto config =
        std::find_if(index.begin(), index.end(), [&](const IndexedPackage& p) { return p.name == name; });
    if (config != index.end()) kernel.config = *config;
  }
  std::sort(kernels.begin(), kernels.end(), [](const KernelPackages& a, const KernelPackages& b) {
    return compare_releases(a.release, b.release) > 0;
  });
  return kernels;
}

std::optional<std::string_view> unfit_reason(std::string_view release) {
  const auto* found = std::find_if(std::begin(kUnfitSeries), std::end(kUnfitSeries),
                                   [&](const UnfitSeries& u) { return u.series == series_of(release); });
  if (found == std::end(kUnfitSeries)) return std::nullopt;
  return found->reason;
}

Result<CacheEntry> fetch_debian_kernel(const KernelCache& cache, const FetchOptions& options) {
  if (auto cached = KTSTR_TRY(find_cached(cache, options))) return std::move(*cached);
  const fs::path apt_directory = cache.directory().parent_path() / "apt";
  std::error_code error;
  fs::create_directories(apt_directory, error);
  if (error) return system_error("create " + apt_directory.string(), error.value());
  // One fetch at a time; whoever waited may find the kernel cached meanwhile.
  const FileLock alone = KTSTR_TRY(FileLock::wait(apt_directory / ".lock", cache.notice(), options.stop));
  if (auto cached = KTSTR_TRY(find_cached(cache, options))) return std::move(*cached);
  return fetch_from_archive(cache, options, apt_directory);
}

}  // namespace ktstr::vmm
