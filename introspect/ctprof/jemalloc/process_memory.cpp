#include "introspect/ctprof/jemalloc/process_memory.h"

#include <sys/uio.h>

#include <algorithm>

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

}  // namespace

bool read_words(pid_t pid, ProcessVirt address, std::span<std::uint64_t> words) {
  const iovec local{words.data(), words.size_bytes()};
  const iovec remote{reinterpret_cast<void*>(address.value()), words.size_bytes()};
  return ::process_vm_readv(pid, &local, 1, &remote, 1, 0) == static_cast<ssize_t>(words.size_bytes());
}

std::optional<std::uint64_t> read_word(pid_t pid, ProcessVirt address) {
  std::uint64_t word = 0;
  return read_words(pid, address, {&word, 1}) ? std::optional(word) : std::nullopt;
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
