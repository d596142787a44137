#include "vmm/kernels/kernel_packages.h"

#include <algorithm>
#include <iterator>

#include "vmm/kernel_image.h"
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

}  // namespace ktstr::vmm
