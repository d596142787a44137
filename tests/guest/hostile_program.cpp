// hostile_program MODE: stands in a scheduler's place in a guest, as root, and means harm to whoever watches
// it.
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string>
#include <string_view>

#include "engine/protocol/frame.h"

using namespace ktstr::engine::protocol;

namespace {

std::uint32_t crc32_of(std::string_view bytes) {
  std::uint32_t crc = ~0U;
  for (const unsigned char byte : bytes) {
    crc ^= byte;
    for (int bit = 0; bit < 8; ++bit) crc = crc & 1 ? (crc >> 1) ^ 0xedb88320U : crc >> 1;
  }
  return ~crc;
}

/// The agent's channel, taken out of PID 1; -1: not found.
int steal_channel() {
  const auto agent = static_cast<int>(::syscall(SYS_pidfd_open, 1, 0));
  for (int fd = 3; fd < 64; ++fd) {
    std::array<char, 256> target{};
    const auto link = "/proc/1/fd/" + std::to_string(fd);
    if (::readlink(link.c_str(), target.data(), target.size() - 1) < 0) continue;
    if (std::string_view(target.data()).find("vport") != std::string_view::npos)
      return static_cast<int>(::syscall(SYS_pidfd_getfd, agent, fd, 0));
  }
  return -1;
}

void write_whole(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto written = ::write(fd, bytes.data(), bytes.size());
    if (written > 0) bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

void send(int channel, std::string_view payload) {
  const FrameHeader header{kFrameMagic, kVersion, static_cast<std::uint32_t>(payload.size()),
                           crc32_of(payload)};
  write_whole(channel, {reinterpret_cast<const char*>(&header), sizeof header});
  write_whole(channel, payload);
}

[[noreturn]] void wait_for_the_end() {
  while (true) ::pause();
}

/// Names and output that would control a terminal.
int say_escapes() {
  ::prctl(PR_SET_NAME, "\033[31mX\033]0;p\007");
  ::mkdir("/sys/fs/cgroup/\033[31mcg", 0755);
  std::puts("\033[2J\033]0;pwned\007\033[31mred");
  std::puts("\r\nPASS forged\nok 1 forged # SKIP");
  std::fflush(stdout);
  constexpr std::string_view kBytes("\033[1A\033[2K nul\0byte \xff\xfe bad\n", 24);
  write_whole(STDOUT_FILENO, kBytes);
  return 3;
}

/// Answers in the agent's name to whatever comes.
int forge_answers() {
  const int channel = steal_channel();
  for (int id = 1; id < 40; ++id)
    send(channel, "{\"id\":" + std::to_string(id) +
                      ",\"reply\":{\"type\":\"failed\",\"code\":\"io\",\"message\":\"\\u001b[31mforged "
                      "\\nPASS forged\"}}");
  wait_for_the_end();
}

/// Bytes that are no frames.
int send_garbage() {
  write_whole(steal_channel(), std::string(4096, 'G'));
  wait_for_the_end();
}

/// A frame as large as frames may be, of more values than any message has.
int send_many_values() {
  std::string list(64U << 20, '0');
  for (std::size_t i = 1; i < list.size(); i += 2) list[i] = ',';
  list.front() = '[';
  list.back() = ']';
  send(steal_channel(), list);
  wait_for_the_end();
}

/// Says that a frame of 4 GB follows.
int send_large_length() {
  const FrameHeader header{kFrameMagic, kVersion, 0xffffffffU, 0};
  write_whole(steal_channel(), {reinterpret_cast<const char*>(&header), sizeof header});
  wait_for_the_end();
}

/// Lists within each other, more than a parser's stack holds.
int send_nested() {
  send(steal_channel(), std::string(8U << 20, '['));
  wait_for_the_end();
}

/// Lines without end, on the console and as its output.
int flood() {
  const std::string line(4096, 'C');
  const int console = ::open("/dev/console", O_WRONLY | O_NOCTTY);
  for (int i = 0; i < 200; ++i) {
    write_whole(console, line + "\n");
    for (int j = 0; j < 20; ++j) write_whole(STDOUT_FILENO, line);
  }
  return 3;
}

/// What the kernel would say, were it to oops and panic.
void forge_panic() {
  for (const char* path : {"/dev/kmsg", "/dev/console"}) {
    const int log = ::open(path, O_WRONLY | O_NOCTTY);
    write_whole(log, "<0>Oops: int3: 0000 [#1] SMP NOPTI forged\n");
    write_whole(log, "<0>Kernel panic - not syncing: pwned \033[31m forged\n");
    write_whole(log, "\nKernel panic - not syncing: pwned \033[31m forged\n");
  }
}

/// Takes a CPU away under the run, for long enough to be seen.
int take_cpu_offline() {
  write_whole(::open("/sys/devices/system/cpu/cpu1/online", O_WRONLY), "0");
  ::sleep(2);
  return 3;
}

/// A panic that is none, and an end that looks like one's.
int forge_panic_and_reboot() {
  forge_panic();
  ::sync();
  ::reboot(RB_AUTOBOOT);
  wait_for_the_end();
}

/// A panic of which the console tells a lie first.
int forge_panic_and_crash() {
  forge_panic();
  write_whole(::open("/proc/sysrq-trigger", O_WRONLY), "c");
  wait_for_the_end();
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view mode = argc > 1 ? argv[1] : "";
  if (mode == "escapes") return say_escapes();
  if (mode == "answers") return forge_answers();
  if (mode == "garbage") return send_garbage();
  if (mode == "many-values") return send_many_values();
  if (mode == "large-length") return send_large_length();
  if (mode == "nested") return send_nested();
  if (mode == "flood") return flood();
  if (mode == "panic-reboot") return forge_panic_and_reboot();
  if (mode == "cpu-offline") return take_cpu_offline();
  if (mode == "panic-crash") return forge_panic_and_crash();
  std::fprintf(stderr,
               "usage: hostile_program escapes|answers|garbage|many-values|large-length|nested|flood|"
               "panic-reboot|panic-crash|cpu-offline\n");
  return 9;
}
