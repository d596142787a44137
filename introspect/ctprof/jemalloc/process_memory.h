// Memory and mappings of another process on this machine.
#pragma once

#include <sys/types.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/address.h"

namespace ktstr::introspect::ctprof {

using ProcessVirt = Address<struct ProcessVirtSpace>;  ///< a virtual address of a process on this machine

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

}  // namespace ktstr::introspect::ctprof
