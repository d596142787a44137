/* gcc -shared -fPIC -O1 -g -nostdlib -Wl,-z,max-page-size=64 -o corpus/jemalloc/shared_object
   jemalloc_like.c */
struct tsd_s {
  char state[16];
  unsigned long cant_access_thread_allocated, between, cant_access_thread_deallocated;
};
__thread struct tsd_s je_tsd_tls __attribute__((tls_model("initial-exec"), visibility("hidden")));

int je_mallctlbymib(void) {
  return (int)je_tsd_tls.cant_access_thread_allocated;
}
