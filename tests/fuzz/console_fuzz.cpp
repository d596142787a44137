// Console lines: what is found in them, and that nothing of them reaches a terminal raw.
#include <sys/socket.h>
#include <unistd.h>

#include <string>

#include "engine/base/fd.h"
#include "engine/base/printable.h"
#include "engine/base/utf8.h"
#include "engine/run/death_evidence.h"
#include "tests/fuzz/fuzz_input.h"
#include "vmm/console.h"
#include "vmm/console_line.h"

using namespace ktstr;

namespace {

void require(bool condition) {
  if (!condition) __builtin_trap();
}

/// No character of it moves a cursor; `lines` allows line ends and tabs.
void check_harmless(std::string_view text, bool lines) {
  while (!text.empty()) {
    const auto [character, size] = first_character(text);
    require(size != 0);
    const bool line_or_tab = lines && (character == '\n' || character == '\t');
    require(line_or_tab || character >= 0x20);
    require(character < 0x7f || character > 0x9f);
    require(character < 0x202a || character > 0x202e);
    text.remove_prefix(size);
  }
}

void check_printable(std::string_view text) {
  const auto line = printable(text);
  check_harmless(line, false);
  require(printable(line) == line);
  const auto lines = printable_lines(text, "  | ");
  check_harmless(lines, true);
  for (auto at = lines.find('\n'); at != std::string::npos; at = lines.find('\n', at + 1))
    require(std::string_view(lines).substr(at + 1).starts_with("  | "));
}

void check_lines(std::string_view text) {
  static_cast<void>(vmm::classify_console_line(text));
  require(text.ends_with(vmm::strip_printk_prefix(text)));
  require(vmm::last_lines(text, 5).size() <= text.size());
  require(vmm::without_harmless_lines(text).size() <= text.size());
  static_cast<void>(engine::agents_last_words(text));
}

/// As a guest sends it.
void read_all(std::string_view text) {
  int ends[2];
  require(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
  Fd guest(ends[1]);
  const auto console = vmm::Console::open(Fd(ends[0]), {});
  require(console.has_value());
  require(::write(guest.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  guest.reset();
  (*console)->wait_end();
  static_cast<void>((*console)->findings());
  check_printable((*console)->tail(3));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t kMostBytes = 64 << 10;  // what a socket takes at once
  const std::string_view text(reinterpret_cast<const char*>(data), std::min(size, kMostBytes));
  check_printable(text);
  check_lines(text);
  read_all(text);
  return 0;
}
