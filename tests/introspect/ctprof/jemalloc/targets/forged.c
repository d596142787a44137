/* Says that its thread data has 2^44 bytes: in its DWARF here, in its symbol (forged.s). */
#include <stdio.h>
#include <unistd.h>

struct tsd_s {
  unsigned long a_thread_allocated;
  char between[0x100000000000UL];
  unsigned long b_thread_deallocated;
};
struct tsd_s* shape; /* only so that the type is described */

int mallctlbymib(void) {
  return shape != 0;
}

int main(void) {
  puts("ready");
  fflush(stdout);
  for (;;) pause();
}
