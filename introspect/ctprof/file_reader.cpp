#include "introspect/ctprof/file_reader.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <memory>

#include "engine/base/io.h"
#include "introspect/ctprof/parse/text.h"

namespace ktstr::introspect::ctprof {
namespace {

struct CloseDirectory {
  void operator()(DIR* directory) const { ::closedir(directory); }
};

}  // namespace

std::optional<std::string_view> FileReader::read_file(int directory, const char* name, bool one_record) {
  // A named pipe in a staged tree must not hold the reader up.
  const Fd fd(::openat(directory, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  error_ = errno;
  if (!fd) return std::nullopt;
  std::size_t used = 0;
  for (;;) {
    if (used == buffer_.size()) {
      error_ = EFBIG;
      if (used >= kMaxBytes) return std::nullopt;
      buffer_.resize(used * 2);
    }
    const auto count = read_some(fd.get(), buffer_.data() + used, buffer_.size() - used);
    error_ = errno;
    if (count < 0) return std::nullopt;
    used += static_cast<std::size_t>(count);
    if (count == 0 || (one_record && used < buffer_.size())) return std::string_view(buffer_.data(), used);
  }
}

std::optional<std::string_view> FileReader::read(int directory, const char* name) {
  return read_file(directory, name, false);
}

std::optional<std::string_view> FileReader::read_record(int directory, const char* name) {
  return read_file(directory, name, true);
}

std::optional<std::string_view> FileReader::read(const std::filesystem::path& path) {
  return read(AT_FDCWD, path.c_str());
}

Fd open_directory(int directory, const char* name) {
  return Fd(::openat(directory, name, O_PATH | O_DIRECTORY | O_CLOEXEC));
}

std::vector<std::int32_t> numbered_entries(int directory, const char* name) {
  std::vector<std::int32_t> numbers;
  Fd fd(::openat(directory, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd) return numbers;
  const std::unique_ptr<DIR, CloseDirectory> listing(::fdopendir(fd.get()));
  if (!listing) return numbers;
  static_cast<void>(fd.release());  // the listing's now
  while (const dirent* entry = ::readdir(listing.get()))
    if (const auto number = to_number<std::int32_t>(entry->d_name); number && *number > 0)
      numbers.push_back(*number);
  std::ranges::sort(numbers);
  return numbers;
}

}  // namespace ktstr::introspect::ctprof
