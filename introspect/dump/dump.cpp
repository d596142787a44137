#include "introspect/dump/dump.h"

#include <span>
#include <string>

#include "engine/base/durable_file.h"
#include "engine/base/mapped_file.h"
#include "engine/base/nearest.h"
#include "engine/base/read_format.h"

namespace ktstr::introspect {
namespace {

constexpr std::string_view kSchemas[] = {kSchemaSingle, kSchemaDual, kSchemaDegraded};

/// An output stream of RapidJSON's kind. After an error nothing more is written.
class FdStream {
 public:
  using Ch = char;
  explicit FdStream(NewFile& file) : file_(file) { buffer_.reserve(kBlock); }

  void Put(char c) {
    if (buffer_.size() == kBlock) Flush();
    buffer_ += c;
  }
  void Flush() {
    if (status_) status_ = file_.append(std::as_bytes(std::span(buffer_)));
    buffer_.clear();
  }
  [[nodiscard]] Status finish() {
    Flush();
    return status_;
  }

 private:
  static constexpr std::size_t kBlock = 65536;
  NewFile& file_;
  std::string buffer_;
  Status status_;
};

Status write_json(NewFile& file, const FailureDump& dump) {
  FdStream stream(file);
  rapidjson::Writer<FdStream> writer(stream);
  std::visit([&](const auto& report) { write(writer, report); }, dump);
  stream.Put('\n');
  return stream.finish();
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
  return corrupted("the dump's schema \"" + std::string(schema) +
                   "\" is none that this version knows (single, dual, degraded)" +
                   did_you_mean(schema, kSchemas));
}

}  // namespace

Status write_dump(const std::filesystem::path& path, const FailureDump& dump) {
  auto file = KTSTR_TRY(NewFile::beside(path));
  KTSTR_TRY(write_json(file, dump));
  return file.publish();
}

Result<FailureDump> parse_dump(std::string_view json, std::string* note) {
  const auto tree = KTSTR_TRY(parse_json(json, kDumpLimits));
  const Value* member = tree.find("schema");
  const auto* schema = member ? member->get_if<std::string>() : nullptr;
  if (!schema) return corrupted("not a dump: it has no \"schema\"");
  const auto found = KTSTR_TRY(format_of(tree, "format", {1, 0}));
  KTSTR_TRY(check_format(found, kDumpFormat));
  if (*schema == kSchemaSingle) return read_report<FailureDumpReport>(tree, found, note);
  if (*schema == kSchemaDual) return read_report<DualFailureDumpReport>(tree, found, note);
  if (*schema == kSchemaDegraded) return read_report<DegradedFailureDumpReport>(tree, found, note);
  return unknown_schema(*schema);
}

Result<FailureDump> read_dump(const std::filesystem::path& path, std::string* note) {
  const auto file = KTSTR_TRY(MappedFile::open(path));
  const auto bytes = file.bytes();
  auto dump =
      KTSTR_TRY(parse_dump({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, note), path.string());
  return dump;
}

}  // namespace ktstr::introspect
