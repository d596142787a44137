/* Allocates known amounts in several threads and tells what jemalloc has counted for each.

   allocator THREADS wait|spin: the i-th thread (from 1) takes 100 * i blocks of 4096 bytes and gives half of
   them back. Prints "TID ALLOCATED DEALLOCATED" for each and "ready"; then the threads wait, or spin, until
   standard input ends.

   allocator N churn: one thread after another of that kind begins and ends, until
   standard input ends. */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void* je_malloc(size_t size);
void je_free(void* memory);
int je_mallctl(const char* name, void* old, size_t* old_size, void* new, size_t new_size);

enum { kBlock = 4096, kMost = 100 };

static int spinning;
static atomic_int counted, finish;
static atomic_int signals;  // several threads may handle one at once
static struct {
  pid_t tid;
  uint64_t allocated, deallocated;
} told[kMost];

static uint64_t counter(const char* name) {
  uint64_t value = 0;
  size_t size = sizeof value;
  if (je_mallctl(name, &value, &size, NULL, 0) != 0) abort();
  return value;
}

static void allocate(int number) {
  void* blocks[100 * kMost];
  for (int i = 0; i < 100 * number; ++i) blocks[i] = je_malloc(kBlock);
  for (int i = 0; i < 50 * number; ++i) je_free(blocks[i]);
}

static void* work(void* argument) {
  const int number = (int)(intptr_t)argument;
  allocate(number);
  told[number - 1].tid = gettid();
  told[number - 1].allocated = counter("thread.allocated");
  told[number - 1].deallocated = counter("thread.deallocated");
  atomic_fetch_add(&counted, 1);
  while (!atomic_load(&finish))
    if (!spinning) usleep(1000);
  return NULL;
}

static void* come_and_go(void* argument) {
  allocate(1);
  return argument;
}

static void* churn(void* argument) {
  while (!atomic_load(&finish)) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, come_and_go, NULL) != 0) abort();
    pthread_join(thread, NULL);
  }
  return argument;
}

static void count_signal(int number) {
  (void)number;
  atomic_fetch_add(&signals, 1);
}

static void wait_for_end_of_input(void) {
  char byte;
  ssize_t count;
  do count = read(STDIN_FILENO, &byte, 1);
  while (count != 0);
}

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const int count = atoi(argv[1]);
  const int churning = strcmp(argv[2], "churn") == 0;
  if (count < 1 || count > kMost) return 2;
  spinning = strcmp(argv[2], "spin") == 0;
  signal(SIGRTMIN, count_signal);
  pthread_t threads[kMost];
  for (int i = 0; i < count; ++i)
    if (pthread_create(&threads[i], NULL, churning ? churn : work, (void*)(intptr_t)(i + 1)) != 0) return 3;
  while (!churning && atomic_load(&counted) < count) usleep(100);
  for (int i = 0; !churning && i < count; ++i)
    printf("%d %llu %llu\n", told[i].tid, (unsigned long long)told[i].allocated,
           (unsigned long long)told[i].deallocated);
  puts("ready");
  fflush(stdout);
  wait_for_end_of_input();
  atomic_store(&finish, 1);
  for (int i = 0; i < count; ++i) pthread_join(threads[i], NULL);
  printf("signals %d\n", atomic_load(&signals));
  return 0;
}
