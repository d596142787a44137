// A process's jemalloc, and the counters of its threads; memory and mappings of another process on this
// machine.
#pragma once

#include <sys/types.h>

#include <array>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "introspect/ctprof/jemalloc/jemalloc_file.h"
#include "introspect/ctprof/jemalloc/traced_thread.h"

namespace ktstr::introspect::ctprof {

/// The words at these two addresses, in one reading (process_vm_readv(2)). Nothing, with errno set, when any
/// byte can't be read. May take as long as the process's memory makes it (swap, userfaultfd, FUSE).
[[nodiscard]] std::optional<std::array<std::uint64_t, 2>> read_words(pid_t pid, ProcessVirt first,
                                                                     ProcessVirt second);
[[nodiscard]] std::optional<std::uint64_t> read_word(pid_t pid, ProcessVirt address);

/// Which file, wherever it is found.
struct FileId {
  std::string device;  ///< "major:minor", hexadecimal
  std::uint64_t inode = 0;

  friend auto operator<=>(const FileId&, const FileId&) = default;
};

/// A file that a process runs code from, and the first of its mappings that it does so from.
struct MappedCode {
  FileId file;
  ProcessVirt start, end;
  std::uint64_t file_offset = 0;  ///< of the byte at start
  std::string path;               ///< as that process sees it

  friend bool operator==(const MappedCode&, const MappedCode&) = default;
};

/// The files of /proc/PID/maps with an executable mapping, each once, by address. Lines that are not as the
/// kernel writes them (fs/proc/task_mmu.c, show_map_vma()) are passed over, the one that was cut off too.
[[nodiscard]] std::vector<MappedCode> parse_maps(std::string_view text);

/// What is known of files, so that each is read once however many processes run it. May be used by several
/// threads; a file's first reader holds up only those that want the same one.
class JemallocFiles {
 public:
  /// The file that the process has mapped there.
  [[nodiscard]] ProbeResult<JemallocFile> find(const std::filesystem::path& process, const MappedCode& code);

 private:
  struct Entry {
    std::once_flag once;
    ProbeResult<JemallocFile> file = tl::unexpected(ProbeFailure::kNotJemalloc);
  };

  std::mutex mutex_;
  std::map<FileId, std::unique_ptr<Entry>> entries_;
};

/// One copy of jemalloc in a process: where each thread's data lies from its thread pointer.
struct ThreadData {
  std::int64_t offset = 0;
  TsdLayout layout;
};

/// All copies that the process runs; at least one. `process`: its directory in /proc. Without one,
/// kNotJemalloc, or why a file of it could not be looked at; when any of several copies is not to be read,
/// why: a part of the counters would be a wrong number.
[[nodiscard]] ProbeResult<std::vector<ThreadData>> find_thread_data(const std::filesystem::path& process,
                                                                    pid_t pid, JemallocFiles& files);

/// Bytes since the thread began.
struct HeapCounters {
  std::uint64_t allocated = 0;
  std::uint64_t deallocated = 0;
};

/// Whether the thread with this directory in /proc began then, in ticks of USER_HZ: else it is another one
/// with the same number.
[[nodiscard]] bool began_at(const std::filesystem::path& task, std::uint64_t begun);

/// Both counters of one copy, in one reading so that they belong together. `data` is what a file says and may
/// be anything: two words are read, wherever that is. Failure: kMemory.
[[nodiscard]] ProbeResult<HeapCounters> read_copy(pid_t tid, ProcessVirt thread_pointer,
                                                  const ThreadData& data);

/// The sums over the copies, of a thread that has stopped.
[[nodiscard]] ProbeResult<HeapCounters> read_counters(pid_t tid, const TracedThread& thread,
                                                      const std::vector<ThreadData>& copies);

}  // namespace ktstr::introspect::ctprof
