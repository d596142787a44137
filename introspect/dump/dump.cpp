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
#include "engine/base/read.h"

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
Result<FailureDump> read_report(const Value& tree) {
  FailureDump dump{std::in_place_type<Report>};
  if (auto error = read(tree, std::get<Report>(dump), {}, MissingMembers::kError))
    return Error{ErrorCode::kCorrupt, error->text()};
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

Result<FailureDump> parse_dump(std::string_view json) {
  const auto tree = KTSTR_TRY(parse_json(json));
  const Value* member = tree.find("schema");
  const auto* schema = member ? member->get_if<std::string>() : nullptr;
  if (!schema) return Error{ErrorCode::kCorrupt, "not a dump: it has no \"schema\""};
  if (*schema == kSchemaSingle) return read_report<FailureDumpReport>(tree);
  if (*schema == kSchemaDual) return read_report<DualFailureDumpReport>(tree);
  if (*schema == kSchemaDegraded) return read_report<DegradedFailureDumpReport>(tree);
  return unknown_schema(*schema);
}

Result<FailureDump> read_dump(const std::filesystem::path& path) {
  const auto file = KTSTR_TRY(MappedFile::open(path));
  const auto bytes = file.bytes();
  auto dump = parse_dump({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  if (!dump) return std::move(dump.error()).with_context(path.string());
  return dump;
}

}  // namespace ktstr::introspect
