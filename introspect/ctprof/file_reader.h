// FileReader: reads small files of the kernel's into one buffer, again and again.
#pragma once

#include <filesystem>
#include <optional>
#include <string_view>
#include <vector>

#include "engine/base/fd.h"

namespace ktstr::introspect::ctprof {

/// One for each thread. The text that read() gives is valid until the next read().
class FileReader {
 public:
  /// A file longer than this is refused (EFBIG): none that the kernel writes for a task is, /proc/PID/maps
  /// with the 65 530 lines of vm.max_map_count included.
  static constexpr std::size_t kMaxBytes = 16 << 20;

  /// The file's text, or nothing: then error() says why.
  [[nodiscard]] std::optional<std::string_view> read(int directory, const char* name);
  [[nodiscard]] std::optional<std::string_view> read(const std::filesystem::path& path);
  /// The same of a file that the kernel writes as one record (single_open() of fs/seq_file.c), as all that a
  /// task has but its mappings: one reading that does not fill the buffer is all of it, so its end is not
  /// asked for.
  [[nodiscard]] std::optional<std::string_view> read_record(int directory, const char* name);
  /// The errno of the last read().
  [[nodiscard]] int error() const { return error_; }

 private:
  std::optional<std::string_view> read_file(int directory, const char* name, bool one_record);

  std::vector<char> buffer_ = std::vector<char>(16384);
  int error_ = 0;
};

/// The names of a directory that are positive numbers, ascending; empty when it can't be listed.
[[nodiscard]] std::vector<std::int32_t> numbered_entries(int directory, const char* name);

/// Opens a directory below another to look files up in it; an empty Fd, with errno set, when it can't be.
[[nodiscard]] Fd open_directory(int directory, const char* name);

}  // namespace ktstr::introspect::ctprof
