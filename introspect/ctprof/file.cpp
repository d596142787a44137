#include "introspect/ctprof/file.h"

#include "engine/base/durable_file.h"
#include "engine/base/mapped_file.h"
#include "engine/base/read_format.h"
#include "introspect/ctprof/zstd_stream.h"

namespace ktstr::introspect::ctprof {
namespace {

/// Each value of a capture has a name of three letters or more, its quotes, a colon and a comma.
constexpr std::size_t kFewestBytesPerValue = 8;
/// The longest are the kernel's command line and paths of cgroups.
constexpr std::size_t kMaxStringBytes = 65536;

/// The format's version, when it is a capture.
Result<FormatVersion> read_header(const Value& tree) {
  const Value* format = tree.find("format");
  const auto* name = format ? format->get_if<std::string>() : nullptr;
  if (!name || *name != kFormatName) return corrupted("not a capture of ktstr ctprof");
  FormatVersion version;
  const Value* number = tree.find("version");
  if (!number || read(*number, version.major)) return corrupted("a capture without a version");
  const Value* minor_number = tree.find("version_minor");
  if (minor_number && read(*minor_number, version.minor)) return corrupted("a capture without a version");
  return version;
}

}  // namespace

Result<std::string> compress_snapshot(const Snapshot& snapshot) {
  ZstdStream stream;
  rapidjson::Writer<ZstdStream> writer(stream);
  write(writer, snapshot);
  return stream.finish();
}

Result<Snapshot> parse_snapshot(std::string_view compressed, const SnapshotLimits& limits,
                                std::string* note) {
  const auto json = KTSTR_TRY(decompress(compressed, limits.json_bytes));
  const auto tree = KTSTR_TRY(parse_json(
      json,
      {.values = limits.values, .bytes_per_value = kFewestBytesPerValue, .string_bytes = kMaxStringBytes}));
  const auto found = KTSTR_TRY(read_header(tree));
  Snapshot snapshot;
  auto left_out = KTSTR_TRY(read_format(tree, snapshot, found, kFormat));
  snapshot.version_minor = kFormat.minor;
  if (note) *note = std::move(left_out);
  return snapshot;
}

Status write_snapshot(const std::filesystem::path& path, const Snapshot& snapshot) {
  return write_new_file(path, KTSTR_TRY(compress_snapshot(snapshot)));
}

Result<Snapshot> read_snapshot(const std::filesystem::path& path, std::string* note) {
  const auto file = KTSTR_TRY(MappedFile::open(path));
  const auto bytes = file.bytes();
  auto snapshot = KTSTR_TRY(
      parse_snapshot({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, {}, note), path.string());
  return snapshot;
}

}  // namespace ktstr::introspect::ctprof
