/* Thread data of 64 bytes, which its DWARF describes as 2^32 bytes more. */
#include <stdio.h>
#include <unistd.h>

struct tsd_s {
  unsigned long a_thread_allocated, b_thread_deallocated;
  char rest[0x100000030UL];
};
struct tsd_s* shape;
__thread struct { unsigned long words[8]; } tsd_tls;

int mallctlbymib(void) {
  return shape != 0;
}

int main(void) {
  tsd_tls.words[0] = 1;
  puts("ready");
  fflush(stdout);
  for (;;) pause();
}
