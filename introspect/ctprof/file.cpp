#include "introspect/ctprof/file.h"

#include <system_error>

#include "engine/base/durable_file.h"
#include "engine/base/mapped_file.h"
#include "engine/base/read_format.h"
#include "introspect/ctprof/zstd_stream.h"

namespace ktstr::introspect::ctprof {
namespace {

Error corrupt(std::string message) {
  return {ErrorCode::kCorrupt, std::move(message)};
}

/// The format's version, when it is a capture.
Result<FormatVersion> read_header(const Value& tree) {
  const Value* format = tree.find("format");
  const auto* name = format ? format->get_if<std::string>() : nullptr;
  if (!name || *name != kFormatName) return corrupt("not a capture of ktstr ctprof");
  FormatVersion version;
  const Value* number = tree.find("version");
  if (!number || read(*number, version.major)) return corrupt("a capture without a version");
  const Value* minor_number = tree.find("version_minor");
  if (minor_number && read(*minor_number, version.minor)) return corrupt("a capture without a version");
  return version;
}

}  // namespace

Result<std::string> compress_snapshot(const Snapshot& snapshot) {
  ZstdStream stream;
  rapidjson::Writer<ZstdStream> writer(stream);
  write(writer, snapshot);
  return stream.finish();
}

Result<Snapshot> parse_snapshot(std::string_view compressed, std::size_t max_json_bytes, std::string* note) {
  const auto json = KTSTR_TRY(decompress(compressed, max_json_bytes));
  const auto tree = KTSTR_TRY(parse_json(json));
  const auto found = KTSTR_TRY(read_header(tree));
  Snapshot snapshot;
  auto left_out = KTSTR_TRY(read_format(tree, snapshot, found, kFormat));
  snapshot.version_minor = kFormat.minor;
  if (note) *note = std::move(left_out);
  return snapshot;
}

Status write_snapshot(const std::filesystem::path& path, const Snapshot& snapshot) {
  const auto bytes = KTSTR_TRY(compress_snapshot(snapshot));
  auto part = path;
  part += ".part";
  auto status = write_durably(part, bytes);
  if (status) return publish(part, path);
  std::error_code ignored;
  std::filesystem::remove(part, ignored);
  return status;
}

Result<Snapshot> read_snapshot(const std::filesystem::path& path, std::string* note) {
  const auto file = KTSTR_TRY(MappedFile::open(path));
  const auto bytes = file.bytes();
  auto snapshot =
      parse_snapshot({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, kMaxJsonBytes, note);
  if (!snapshot) return std::move(snapshot.error()).with_context(path.string());
  return snapshot;
}

}  // namespace ktstr::introspect::ctprof
