/* Thread data of 768 MB, whose two counters lie at both its ends. */
#include <stdio.h>
#include <unistd.h>

struct tsd_s {
  unsigned long a_thread_allocated;
  char between[0x30000000UL];
  unsigned long b_thread_deallocated;
};
__thread struct tsd_s tsd_tls;

int mallctlbymib(void) {
  return 0;
}

int main(void) {
  tsd_tls.a_thread_allocated = 5;
  tsd_tls.b_thread_deallocated = 3;
  puts("ready");
  fflush(stdout);
  for (;;) pause();
}
