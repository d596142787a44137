#include "introspect/ctprof/jemalloc/process_memory.h"

#include <sys/uio.h>

#include <algorithm>
#include <cerrno>
#include <span>

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

}  // namespace ktstr::introspect::ctprof
