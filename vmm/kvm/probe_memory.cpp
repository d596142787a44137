#include "vmm/kvm/probe_memory.h"

#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <optional>
#include <string>

#include "engine/base/describe.h"
#include "engine/base/durable_file.h"
#include "engine/base/fd.h"
#include "engine/base/io.h"
#include "engine/base/printable.h"
#include "engine/base/read_format.h"

namespace ktstr {
namespace vmm::kvm {
namespace {

/// Of the file. Files without a version are 1.0.
constexpr FormatVersion kFormat{1, 1};

/// A verdict and what it is about.
struct ProbeRecord {
  std::string format = kFormat.to_string();
  std::uint32_t version = 0;
  std::string boot_id;
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::optional<std::string> reason;

  [[nodiscard]] bool same_subject(const ProbeRecord& other) const {
    return version == other.version && boot_id == other.boot_id && device == other.device &&
           inode == other.inode;
  }

  static consteval auto describe() {
    using T = ProbeRecord;
    return record("what the probe found of /dev/kvm",
                  field<&T::format>("version of this file's format, MAJOR.MINOR"),
                  field<&T::version>("of the probe"), field<&T::boot_id>("of the host"),
                  field<&T::device>("st_rdev of /dev/kvm"), field<&T::inode>("st_ino of /dev/kvm"),
                  field<&T::reason>("why KVM boots nothing; null when it does"));
  }
};

}  // namespace
}  // namespace vmm::kvm

namespace vmm::kvm {
namespace {

namespace fs = std::filesystem;

constexpr int kPatience = 10;
constexpr std::size_t kMostBytes = 64 << 10;

Error does_not_work(std::string reason) {
  return {ErrorCode::kUnavailable, std::move(reason)};
}

/// What a verdict of now would be about. It is opened, not only looked at: so it is known that the right to
/// do so is there. Errors: kUnavailable.
Result<ProbeRecord> subject_now(const ProbedHost& host) {
  const Fd device(::open(host.device.c_str(), O_RDWR | O_CLOEXEC));
  struct stat status {};
  if (!device || ::fstat(device.get(), &status) != 0)
    return does_not_work(host.device.string() + ": " + std::strerror(errno));
  auto boot_id = read_file(host.boot_id, kMostBytes).value_or(FileText{}).text;
  while (boot_id.ends_with('\n')) boot_id.pop_back();
  return ProbeRecord{.version = kProbeVersion,
                     .boot_id = std::move(boot_id),
                     .device = status.st_rdev,
                     .inode = status.st_ino,
                     .reason = {}};
}

/// Members that a newer ktstr added are left out and told. Errors: those of read_format().
Result<ProbeRecord> read_record(const fs::path& file) {
  const auto tree = KTSTR_TRY(parse_json(KTSTR_TRY(read_file(file, kMostBytes)).text));
  ProbeRecord record;
  const auto found = KTSTR_TRY(format_of(tree, "format", {1, 0}));
  if (const auto note = KTSTR_TRY(read_format(tree, record, found, kFormat)); !note.empty())
    spdlog::warn("{}", printable(file.string() + ": " + note));
  return record;
}

/// A file that can't be read, one of another major version included, is a verdict to be made again.
std::optional<ProbeRecord> remembered(const fs::path& file, const ProbeRecord& subject) {
  auto record = read_record(file);
  if (!record || subject.boot_id.empty() || !record->same_subject(subject)) return std::nullopt;
  return *record;
}

/// Readers see the old file or the new one.
Status remember(const fs::path& directory, const fs::path& file, const ProbeRecord& record) {
  std::error_code failure;
  fs::create_directories(directory, failure);
  return write_new_file(file, to_json(record) + "\n");
}

bool lasting(const Status& status) {
  if (status) return true;
  const auto code = status.error().code;
  return code == ErrorCode::kTimeout || code == ErrorCode::kUnavailable || code == ErrorCode::kEmulatorFailed;
}

Status probe_patiently(const ProbedHost& host) {
  auto status = host.probe({});
  if (status || status.error().code != ErrorCode::kTimeout) return status;
  return host.probe({.deadline = Duration(kProbeDeadline.ns * kPatience)});
}

}  // namespace

Status remembered_probe(const fs::path& cache_directory, const ProbedHost& host) {
  const auto file = cache_directory / "kvm-probe";
  auto record = KTSTR_TRY(subject_now(host));
  if (const auto known = remembered(file, record))
    return known->reason ? Status(does_not_work(*known->reason)) : ok();
  auto status = probe_patiently(host);
  if (!status) record.reason = status.error().message;
  if (lasting(status) && !record.boot_id.empty()) static_cast<void>(remember(cache_directory, file, record));
  return status ? ok() : Status(does_not_work(*record.reason));
}

}  // namespace vmm::kvm
}  // namespace ktstr
