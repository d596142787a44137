#include "introspect/monitor/kernel_hz.h"

#include <zlib.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "engine/base/mapped_file.h"

namespace ktstr::introspect {
namespace {

constexpr std::size_t kConfigTextLimit = 4 << 20;
constexpr std::uint32_t kMaxHz = 10'000;
constexpr std::string_view kIkconfigStart = "IKCFG_ST";
constexpr int kIkconfigAttempts = 16;
constexpr int kFoldersSearched = 4;  // arch/x86/boot/bzImage and three up: the root of a build tree

std::string_view text_of(const MappedFile& file) {
  return {reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size()};
}

std::optional<std::uint32_t> hz_of_config_file(const std::filesystem::path& path) {
  const auto file = MappedFile::open(path);
  return file ? parse_config_hz(text_of(*file)) : std::nullopt;
}

std::optional<std::uint32_t> hz_of_ikconfig(const std::filesystem::path& elf) {
  const auto file = MappedFile::open(elf);
  const auto config = file ? unpack_ikconfig(text_of(*file)) : std::nullopt;
  return config ? parse_config_hz(*config) : std::nullopt;
}

std::optional<KernelHz> hz_of_build_tree(const std::filesystem::path& image) {
  auto folder = image.parent_path();
  for (int level = 0; level < kFoldersSearched && !folder.empty(); ++level) {
    const auto config = folder / ".config";
    if (const auto hz = hz_of_config_file(config)) return KernelHz{*hz, config.string()};
    if (folder == folder.parent_path()) break;
    folder = folder.parent_path();
  }
  return std::nullopt;
}

/// Inflates one gzip member. zlib's own checksum decides whether the text is whole.
std::optional<std::string> gunzip(std::string_view packed) {
  z_stream stream{};
  constexpr int kGzipOnly = 16 + MAX_WBITS;
  if (inflateInit2(&stream, kGzipOnly) != Z_OK) return std::nullopt;
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  stream.avail_in = static_cast<uInt>(std::min(packed.size(), kConfigTextLimit));
  std::string text(kConfigTextLimit, '\0');
  stream.next_out = reinterpret_cast<Bytef*>(text.data());
  stream.avail_out = static_cast<uInt>(text.size());
  const int outcome = inflate(&stream, Z_FINISH);
  text.resize(stream.total_out);
  inflateEnd(&stream);
  if (outcome != Z_STREAM_END) return std::nullopt;
  return text;
}

}  // namespace

Duration KernelHz::preemption_threshold() const {
  return Duration(std::int64_t{1'000'000'000} / hz * kPreemptionTicks);
}

std::optional<std::uint32_t> parse_config_hz(std::string_view config) {
  constexpr std::string_view kKey = "CONFIG_HZ=";
  while (!config.empty()) {
    auto line = config.substr(0, config.find('\n'));
    config.remove_prefix(std::min(line.size() + 1, config.size()));
    const auto start = line.find_first_not_of(" \t\r");
    if (start == std::string_view::npos || !line.substr(start).starts_with(kKey)) continue;
    line.remove_prefix(start + kKey.size());
    line = line.substr(0, line.find_last_not_of(" \t\r") + 1);
    std::uint32_t hz = 0;
    const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), hz);
    if (error != std::errc{} || end != line.data() + line.size() || hz == 0 || hz > kMaxHz)
      return std::nullopt;
    return hz;
  }
  return std::nullopt;
}

std::optional<std::string> unpack_ikconfig(std::string_view image) {
  // The marker's letters may also occur as a string of their own: go on to the next one that a gzip member
  // follows.
  for (int attempt = 0; attempt < kIkconfigAttempts; ++attempt) {
    const void* found = ::memmem(image.data(), image.size(), kIkconfigStart.data(), kIkconfigStart.size());
    if (!found) return std::nullopt;
    image.remove_prefix(static_cast<std::size_t>(static_cast<const char*>(found) - image.data()) +
                        kIkconfigStart.size());
    if (auto text = gunzip(image)) return text;
  }
  return std::nullopt;
}

KernelHz kernel_hz(const KernelFiles& files) {
  if (const auto hz = hz_of_ikconfig(files.elf)) return {*hz, "IKCONFIG of " + files.elf.string()};
  if (const auto hz = hz_of_config_file(files.config)) return {*hz, files.config.string()};
  if (const auto tree = hz_of_build_tree(files.image)) return *tree;
  return {kDefaultHz, "default: the kernel has neither IKCONFIG nor a config file with CONFIG_HZ"};
}

}  // namespace ktstr::introspect
