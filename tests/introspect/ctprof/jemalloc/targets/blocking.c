/* Whoever reads its thread data waits for ever: nobody answers for the page (userfaultfd). */
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { kPage = 4096 };
struct tsd_s {
  char before[2 * kPage];
  unsigned long a_thread_allocated, b_thread_deallocated;
  char after[2 * kPage];
};
__thread struct tsd_s tsd_tls;

int mallctlbymib(void) {
  return 0;
}

static int take_page_away(void) {
  const uintptr_t page = (uintptr_t)&tsd_tls.a_thread_allocated / kPage * kPage;
  const int faults = (int)syscall(SYS_userfaultfd, O_CLOEXEC);
  struct uffdio_api api = {.api = UFFD_API};
  struct uffdio_register range = {.range = {page, kPage}, .mode = UFFDIO_REGISTER_MODE_MISSING};
  return faults >= 0 && ioctl(faults, UFFDIO_API, &api) == 0 &&
         madvise((void*)page, kPage, MADV_DONTNEED) == 0 && ioctl(faults, UFFDIO_REGISTER, &range) == 0;
}

int main(void) {
  puts(take_page_away() ? "ready" : "refused");
  fflush(stdout);
  for (;;) pause();
}
