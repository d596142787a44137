// The benchmark guests' init: one byte on every way out to the host, then what comes over the channel goes
// back. No libc: nothing to load but this.
#include <fcntl.h>
#include <sys/syscall.h>

static long call(long number, long a, long b, long c, long d, long e) {
  register long r10 __asm__("r10") = d;
  register long r8 __asm__("r8") = e;
  long result;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8)
                   : "rcx", "r11", "memory");
  return result;
}

static long say(const char* path) {
  long fd = call(SYS_open, (long)path, O_RDWR | O_NOCTTY, 0, 0, 0);
  if (fd >= 0) call(SYS_write, fd, (long)"R", 1, 0, 0);
  return fd;
}

void _start(void) {
  call(SYS_mount, (long)"devtmpfs", (long)"/dev", (long)"devtmpfs", 0, 0);
  long channel = say(CHANNEL_DEVICE);
  say("/dev/console");
  char byte;
  while (call(SYS_read, channel, (long)&byte, 1, 0, 0) == 1) call(SYS_write, channel, (long)&byte, 1, 0, 0);
  for (;;) call(SYS_pause, 0, 0, 0, 0, 0);
}
