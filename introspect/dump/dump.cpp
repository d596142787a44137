#include "introspect/dump/dump.h"

#include <rapidjson/filewritestream.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <memory>
#include <system_error>

#include "engine/base/durable_file.h"
#include "engine/base/mapped_file.h"
#include "engine/base/nearest.h"
#include "engine/base/read_format.h"

namespace ktstr::introspect {
namespace {

constexpr std::string_view kSchemas[] = {kSchemaSingle, kSchemaDual, kSchemaDegraded};

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

Status write_json(const std::filesystem::path& path, const FailureDump& dump) {
  const std::unique_ptr<std::FILE, CloseFile> file(std::fopen(path.c_str(), "we"));
  if (!file) return system_error("open " + path.string());
  std::array<char, 65536> buffer;
  rapidjson::FileWriteStream stream(file.get(), buffer.data(), buffer.size());
  rapidjson::Writer<rapidjson::FileWriteStream> writer(stream);
  std::visit([&](const auto& report) { write(writer, report); }, dump);
  stream.Put('\n');
  stream.Flush();
  if (std::ferror(file.get()) || std::fflush(file.get()) != 0 || ::fsync(::fileno(file.get())) != 0)
    return system_error("write " + path.string());
  return ok();
}

template <class Report>
Result<FailureDump> read_report(const Value& tree, FormatVersion found, std::string* note) {
  FailureDump dump{std::in_place_type<Report>};
  auto& report = std::get<Report>(dump);
  auto left_out = KTSTR_TRY(read_format(tree, report, found, kDumpFormat));
  report.format = kDumpFormat.to_string();
  if (note) *note = std::move(left_out);
  return dump;
}

Error unknown_schema(std::string_view schema) {
  return {ErrorCode::kCorrupt, "the dump's schema \"" + std::string(schema) +
                                   "\" is none that this version knows (single, dual, degraded)" +
                                   did_you_mean(schema, kSchemas)};
}

}  // namespace

Status write_dump(const std::filesystem::path& path, const FailureDump& dump) {
  auto part = path;
  part += ".part";
  auto status = write_json(part, dump);
  if (status) return publish(part, path);
  std::error_code ignored;
  std::filesystem::remove(part, ignored);
  return status;
}

Result<FailureDump> parse_dump(std::string_view json, std::string* note) {
  const auto tree = KTSTR_TRY(parse_json(json));
  const Value* member = tree.find("schema");
  const auto* schema = member ? member->get_if<std::string>() : nullptr;
  if (!schema) return Error{ErrorCode::kCorrupt, "not a dump: it has no \"schema\""};
  const auto found = KTSTR_TRY(format_of(tree, "format", {1, 0}));
  KTSTR_TRY_STATUS(check_format(found, kDumpFormat));
  if (*schema == kSchemaSingle) return read_report<FailureDumpReport>(tree, found, note);
  if (*schema == kSchemaDual) return read_report<DualFailureDumpReport>(tree, found, note);
  if (*schema == kSchemaDegraded) return read_report<DegradedFailureDumpReport>(tree, found, note);
  return unknown_schema(*schema);
}

Result<FailureDump> read_dump(const std::filesystem::path& path, std::string* note) {
  const auto file = KTSTR_TRY(MappedFile::open(path));
  const auto bytes = file.bytes();
  auto dump = parse_dump({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, note);
  if (!dump) return std::move(dump.error()).with_context(path.string());
  return dump;
}

}  // namespace ktstr::introspect
