#include "introspect/ctprof/file.h"

#include "engine/base/durable_file.h"
#include "engine/base/json.h"
#include "engine/base/mapped_file.h"
#include "introspect/ctprof/zstd_stream.h"

namespace ktstr::introspect::ctprof {
namespace {

Error corrupt(std::string message) {
  return {ErrorCode::kCorrupt, std::move(message)};
}

/// Each value of a capture has a name of three letters or more, its quotes, a colon and a comma.
constexpr std::size_t kFewestBytesPerValue = 8;
/// The longest are the kernel's command line and paths of cgroups.
constexpr std::size_t kMaxStringBytes = 65536;

/// Whether it is a capture, and of this version.
Status check_header(const Value& tree) {
  const Value* format = tree.find("format");
  const auto* name = format ? format->get_if<std::string>() : nullptr;
  if (!name || *name != kFormatName) return corrupt("not a capture of ktstr ctprof");
  std::uint32_t version = 0;
  const Value* member = tree.find("version");
  if (!member || read(*member, version)) return corrupt("a capture without a version");
  if (version == kFormatVersion) return ok();
  return corrupt("a capture of version " + std::to_string(version) + "; this program reads version " +
                 std::to_string(kFormatVersion));
}

}  // namespace

Result<std::string> compress_snapshot(const Snapshot& snapshot) {
  ZstdStream stream;
  rapidjson::Writer<ZstdStream> writer(stream);
  write(writer, snapshot);
  return stream.finish();
}

Result<Snapshot> parse_snapshot(std::string_view compressed, const SnapshotLimits& limits) {
  const auto json = KTSTR_TRY(decompress(compressed, limits.json_bytes));
  const auto tree = KTSTR_TRY(parse_json(
      json,
      {.values = limits.values, .bytes_per_value = kFewestBytesPerValue, .string_bytes = kMaxStringBytes}));
  KTSTR_TRY_STATUS(check_header(tree));
  Snapshot snapshot;
  if (const auto error = read(tree, snapshot, {}, MissingMembers::kError)) return corrupt(error->text());
  return snapshot;
}

Status write_snapshot(const std::filesystem::path& path, const Snapshot& snapshot) {
  return write_new_file(path, KTSTR_TRY(compress_snapshot(snapshot)));
}

Result<Snapshot> read_snapshot(const std::filesystem::path& path) {
  const auto file = KTSTR_TRY(MappedFile::open(path));
  const auto bytes = file.bytes();
  auto snapshot = parse_snapshot({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  if (!snapshot) return std::move(snapshot.error()).with_context(path.string());
  return snapshot;
}

}  // namespace ktstr::introspect::ctprof
