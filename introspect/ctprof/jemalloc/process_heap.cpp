#include "introspect/ctprof/jemalloc/process_heap.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>

#include "introspect/ctprof/file_reader.h"
#include "introspect/ctprof/parse/task_files.h"

namespace ktstr::introspect::ctprof {
namespace {

namespace fs = std::filesystem;

bool refused(int error) {
  return error == EACCES || error == EPERM;
}

/// Opens a regular file; with `inode`, only if it is that one. Otherwise errno says why not.
Fd open_regular(const fs::path& path, std::optional<std::uint64_t> inode) {
  // What another process names may be anything: a pipe must not hold the reader up.
  Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat status {};
  if (!file || ::fstat(file.get(), &status) != 0) return {};
  if (S_ISREG(status.st_mode) && (!inode || status.st_ino == *inode)) return file;
  errno = ESTALE;
  return {};
}

/// The mapped file itself where that is allowed, else what is at its path, if it is still that file.
ProbeResult<Fd> open_code(const fs::path& process, const MappedCode& code) {
  const auto mapping = fmt::format("map_files/{:x}-{:x}", code.start.value(), code.end.value());
  if (auto file = open_regular(process / mapping, {})) return file;
  if (auto file = open_regular(process / "exe", code.file.inode)) return file;
  if (auto file = open_regular((process / "root").string() + code.path, code.file.inode)) return file;
  return tl::unexpected(refused(errno) ? ProbeFailure::kRefused : ProbeFailure::kFileChanged);
}

ProbeResult<std::vector<MappedCode>> mapped_code(const fs::path& process) {
  FileReader files;
  const auto text = files.read(process / "maps");
  if (!text) {
    if (refused(files.error())) return tl::unexpected(ProbeFailure::kRefused);
    const bool gone = files.error() == ENOENT || files.error() == ESRCH;
    return tl::unexpected(gone ? ProbeFailure::kGone : ProbeFailure::kMaps);
  }
  auto code = parse_maps(*text);
  if (code.empty()) return tl::unexpected(ProbeFailure::kGone);
  return code;
}

ProbeResult<std::int64_t> offset_in(pid_t pid, const MappedCode& code, const JemallocFile& file) {
  if (const auto* fixed = std::get_if<FromThreadPointer>(&file.reach)) return fixed->offset;
  const auto link_address = file.link_address(code.file_offset);
  if (!link_address) return tl::unexpected(ProbeFailure::kElf);
  const auto slot = code.start + (std::get<OffsetSlot>(file.reach).address - *link_address);
  const auto word = read_word(pid, slot);
  if (!word)
    return tl::unexpected(errno == ESRCH   ? ProbeFailure::kGone
                          : refused(errno) ? ProbeFailure::kRefused
                                           : ProbeFailure::kMemory);
  const auto offset = static_cast<std::int64_t>(*word);
  if (!is_static_tls_offset(offset)) return tl::unexpected(ProbeFailure::kTls);
  return offset;
}

}  // namespace

bool began_at(const fs::path& task, std::uint64_t begun) {
  FileReader files;
  const auto stat = files.read(task / "stat");
  ThreadRecord now;
  if (stat) parse_stat(*stat, now);
  return now.start_time_clock_ticks == begun;
}

ProbeResult<HeapCounters> read_copy(pid_t tid, ProcessVirt thread_pointer, const ThreadData& data) {
  const auto begin = thread_pointer + static_cast<std::uint64_t>(data.offset);
  const auto words = read_words(tid, begin + data.layout.allocated, begin + data.layout.deallocated);
  if (!words) return tl::unexpected(ProbeFailure::kMemory);
  return HeapCounters{(*words)[0], (*words)[1]};
}

ProbeResult<JemallocFile> JemallocFiles::find(const fs::path& process, const MappedCode& code) {
  Entry* entry = nullptr;
  {
    const std::lock_guard lock(mutex_);
    auto& place = entries_[code.file];
    if (!place) place = std::make_unique<Entry>();
    entry = place.get();
  }
  std::call_once(entry->once, [&] {
    const auto file = open_code(process, code);
    entry->file = file ? examine(*file, code.path) : tl::unexpected(file.error());
  });
  return entry->file;
}

ProbeResult<std::vector<ThreadData>> find_thread_data(const fs::path& process, pid_t pid,
                                                      JemallocFiles& files) {
  const auto code = mapped_code(process);
  if (!code) return tl::unexpected(code.error());
  std::vector<ThreadData> copies;
  auto without = ProbeFailure::kNotJemalloc;
  for (const auto& mapped : *code) {
    const auto file = files.find(process, mapped);
    if (!file && is_actionable(file.error())) return tl::unexpected(file.error());
    if (!file) {
      without = std::max(without, file.error());  // not seen to be jemalloc
      continue;
    }
    const auto offset = offset_in(pid, mapped, *file);
    if (!offset) return tl::unexpected(offset.error());
    copies.push_back({*offset, file->layout});
  }
  if (copies.empty()) return tl::unexpected(without);
  return copies;
}

ProbeResult<HeapCounters> read_counters(pid_t tid, const TracedThread& thread,
                                        const std::vector<ThreadData>& copies) {
  const auto thread_pointer = thread.thread_pointer();
  if (!thread_pointer) return tl::unexpected(thread_pointer.error());
  HeapCounters sum;
  for (const auto& copy : copies) {
    const auto counters = read_copy(tid, *thread_pointer, copy);
    if (!counters) return tl::unexpected(counters.error());
    sum.allocated += counters->allocated;
    sum.deallocated += counters->deallocated;
  }
  return sum;
}

}  // namespace ktstr::introspect::ctprof
