#include "introspect/ctprof/jemalloc/process_heap.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include <algorithm>
#include <cerrno>
#include <span>

#include "introspect/ctprof/file_reader.h"
#include "introspect/ctprof/parse/task_files.h"
#include "introspect/ctprof/parse/text.h"

namespace ktstr::introspect::ctprof {
namespace {

std::optional<std::uint64_t> take_hex(std::string_view& rest, char end) {
  const auto length = rest.find(end);
  if (length == std::string_view::npos) return std::nullopt;
  const auto value = to_number<std::uint64_t>(rest.substr(0, length), 16);
  rest.remove_prefix(length + 1);
  return value;
}

/// "START-END PERMS OFFSET MAJOR:MINOR INODE    PATH", of code that a file holds; nothing for others.
std::optional<MappedCode> parse_line(std::string_view line) {
  const auto start = take_hex(line, '-');
  const auto end = take_hex(line, ' ');
  const auto permissions = next_word(line);
  const auto offset = take_hex(line, ' ');
  const auto device = next_word(line);
  const auto inode = next_word(line);
  if (!start || !end || !offset || !permissions || !device || !inode) return std::nullopt;
  const auto number = to_number<std::uint64_t>(*inode);
  const auto path = trim(line);
  if (permissions->size() != 4 || (*permissions)[2] != 'x' || !path.starts_with('/') ||
      number.value_or(0) == 0)
    return std::nullopt;
  return MappedCode{
      {std::string(*device), *number}, ProcessVirt(*start), ProcessVirt(*end), *offset, std::string(path)};
}

iovec remote_word(ProcessVirt address) {
  return {reinterpret_cast<void*>(address.value()), sizeof(std::uint64_t)};
}

bool read_all(pid_t pid, const iovec& local, std::span<const iovec> remote) {
  const auto read = ::process_vm_readv(pid, &local, 1, remote.data(), remote.size(), 0);
  if (read >= 0 && static_cast<std::size_t>(read) < local.iov_len) errno = EFAULT;
  return read == static_cast<ssize_t>(local.iov_len);
}

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

std::optional<std::array<std::uint64_t, 2>> read_words(pid_t pid, ProcessVirt first, ProcessVirt second) {
  std::array<std::uint64_t, 2> words{};
  const iovec remote[] = {remote_word(first), remote_word(second)};
  if (!read_all(pid, {words.data(), sizeof words}, remote)) return std::nullopt;
  return words;
}

std::optional<std::uint64_t> read_word(pid_t pid, ProcessVirt address) {
  std::uint64_t word = 0;
  const iovec remote[] = {remote_word(address)};
  return read_all(pid, {&word, sizeof word}, remote) ? std::optional(word) : std::nullopt;
}

std::vector<MappedCode> parse_maps(std::string_view text) {
  std::vector<MappedCode> files;
  while (const auto line = next_line(text)) {
    auto code = parse_line(*line);
    if (code && std::ranges::find(files, code->file, &MappedCode::file) == files.end())
      files.push_back(std::move(*code));
  }
  return files;
}

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
