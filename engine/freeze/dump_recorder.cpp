#include "engine/freeze/dump_recorder.h"

#include <new>
#include <system_error>

#include "engine/report/artifact_name.h"

namespace ktstr::engine {
namespace {

std::string schema_of(const introspect::FailureDump& dump) {
  return std::visit([](const auto& report) { return report.schema; }, dump);
}

}  // namespace

std::string DumpRecorder::file_name(const std::string& stem, const std::string& name) {
  return artifact_name(stem, name) + ".json";
}

std::filesystem::path DumpRecorder::next_path(introspect::DumpCause cause, const std::string& name) {
  auto text = cause == introspect::DumpCause::kRequested ? name + ".dump" : std::string("failure-dump");
  if (const int times = ++used_[file_name_part(text)]; times > 1) text += "-" + std::to_string(times);
  return options_.directory / file_name(options_.stem, text);
}

void DumpRecorder::write(const std::filesystem::path& path, TakenDump& taken) const {
  std::error_code error;
  if (path.has_parent_path()) std::filesystem::create_directories(path.parent_path(), error);
  try {
    if (const auto written = introspect::write_dump(path, taken.dump); written)
      taken.report.file = path.string();
    else
      taken.report.problem = written.error().message;
  } catch (const std::bad_alloc&) {
    taken.report.problem = "out of memory while " + path.string() + " was written";
  }
}

Status DumpRecorder::take(introspect::DumpCause cause, const std::string& name, const std::string& detail) {
  const Duration elapsed(std::chrono::steady_clock::now() - options_.epoch);
  auto capture = KTSTR_TRY(coordinator_.capture({cause, name, detail, elapsed}));
  TakenDump taken{std::move(capture.dump),
                  {.name = name,
                   .cause = std::string(enum_name(cause)),
                   .detail = detail,
                   .schema = {},
                   .elapsed_ns = static_cast<std::uint64_t>(elapsed.ns),
                   .frozen_ns = static_cast<std::uint64_t>(capture.frozen.ns)}};
  taken.report.schema = schema_of(taken.dump);
  const std::lock_guard lock(mutex_);
  write(next_path(cause, name), taken);
  taken_.push_back(std::move(taken));
  if (capture.thaw_problem) return std::move(*capture.thaw_problem).with_context("after a dump");
  return ok();
}

std::vector<TakenDump> DumpRecorder::collect() {
  const std::lock_guard lock(mutex_);
  return std::exchange(taken_, {});
}

}  // namespace ktstr::engine
