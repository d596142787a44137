// What the kernel cache knows of one kernel: metadata.json of its entry.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/base/describe.h"
#include "engine/base/format_version.h"
#include "vmm/kernel_image.h"

namespace ktstr {

template <>
inline constexpr auto describe<vmm::ImageFormat> = enumeration<vmm::ImageFormat>(
    "ImageFormat",
    {{"bzimage", vmm::ImageFormat::kBzImage, "compressed, bootable by firmware and boot loaders"},
     {"elf", vmm::ImageFormat::kElf, "vmlinux"}});

namespace vmm {

/// How the source of a kernel that was fetched begins.
inline constexpr std::string_view kFetchedSource = "Debian package ";
/// Of metadata.json. Files without a version are 1.0.
inline constexpr FormatVersion kMetadataFormat{1, 1};

struct KernelMetadata {
  std::string format = kMetadataFormat.to_string();
  std::string release;
  std::optional<std::string> build_id;
  ImageFormat image_format{};
  std::string image_checksum;
  std::uint64_t image_bytes = 0;
  std::string source;
  std::string added;
  bool sched_ext = false;
  std::optional<std::string> sched_ext_defect;

  /// Whether a scheduler can be expected to load and work.
  [[nodiscard]] bool can_run_schedulers() const { return sched_ext && !sched_ext_defect; }
  [[nodiscard]] bool is_fetched() const { return source.starts_with(kFetchedSource); }

  static consteval auto describe() {
    using T = KernelMetadata;
    return record(
        "one cached kernel", field<&T::format>("version of this file's format, MAJOR.MINOR"),
        field<&T::release>("what `uname -r` prints"),
        field<&T::build_id>("GNU build id in hexadecimal; null when the image has none"),
        field<&T::image_format>("form of the image that was added"),
        field<&T::image_checksum>("CRC-64 (xz) of the image that was added, hexadecimal"),
        field<&T::image_bytes>("size of the image that was added, in bytes"),
        field<&T::source>("where the kernel came from: a file or a package"),
        field<&T::added>("when it came into the cache, ISO 8601, UTC"),
        field<&T::sched_ext>("whether it was built with CONFIG_SCHED_CLASS_EXT"),
        field<&T::sched_ext_defect>(
            "why schedulers can't work in spite of sched_ext; null when nothing is known against it"));
  }
};

}  // namespace vmm

}  // namespace ktstr
