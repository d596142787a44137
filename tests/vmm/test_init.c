// The test guests' init: says "ready" on the channel and answers one-letter requests with one line each.
// With the kernel argument test_mode=silent it never opens the channel.
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <time.h>
#include <unistd.h>

static void read_line(const char* path, char* out, size_t size) {
  FILE* file = fopen(path, "r");
  if (!file || !fgets(out, (int)size, file)) strcpy(out, "none");
  if (file) fclose(file);
  out[strcspn(out, "\n")] = 0;
}

/* The port's number is its name's business: the node is found by the name that the host gave it. */
static int open_channel(void) {
  char path[512], name[64];
  for (;;) {
    DIR* ports = opendir("/sys/class/virtio-ports");
    struct dirent* port;
    while (ports && (port = readdir(ports))) {
      snprintf(path, sizeof path, "/sys/class/virtio-ports/%s/name", port->d_name);
      read_line(path, name, sizeof name);
      if (strcmp(name, CHANNEL_PORT_NAME) != 0) continue;
      snprintf(path, sizeof path, "/dev/%s", port->d_name);
      closedir(ports);
      return open(path, O_RDWR);
    }
    if (ports) closedir(ports);
    usleep(1000);
  }
}

static void report_topology(int channel) {
  char path[256], llc[64], smt[64], nodes[512] = "";
  for (int node = 0;; ++node) {
    char cpus[64], item[96];
    snprintf(path, sizeof path, "/sys/devices/system/node/node%d/cpulist", node);
    if (access(path, R_OK) != 0) break;
    read_line(path, cpus, sizeof cpus);
    snprintf(item, sizeof item, " node%d=%s", node, cpus);
    strcat(nodes, item);
  }
  for (int cpu = 0; cpu < get_nprocs_conf(); ++cpu) {
    snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu%d/cache/index3/shared_cpu_list", cpu);
    read_line(path, llc, sizeof llc);
    snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu%d/topology/thread_siblings_list", cpu);
    read_line(path, smt, sizeof smt);
    dprintf(channel, "cpu%d llc=%s smt=%s; ", cpu, llc, smt);
  }
  dprintf(channel, "%s\n", nodes);
}

/* The number behind "MemTotal:" in a node's meminfo. */
static long node_memory_kb(int node) {
  char path[256], line[256];
  long kb = 0;
  snprintf(path, sizeof path, "/sys/devices/system/node/node%d/meminfo", node);
  FILE* file = fopen(path, "r");
  while (file && fgets(line, sizeof line, file))
    if (sscanf(line, "Node %*d MemTotal: %ld kB", &kb) == 1) break;
  if (file) fclose(file);
  return kb;
}

/* What the kernel has made of SRAT, SLIT and HMAT. */
static void report_nodes(int channel) {
  static const char* const masks[] = {"has_cpu", "has_memory", "has_normal_memory"};
  static const char* const attributes[] = {"read_latency", "read_bandwidth"};
  char path[256], text[256];
  for (int node = 0;; ++node) {
    snprintf(path, sizeof path, "/sys/devices/system/node/node%d/distance", node);
    if (access(path, R_OK) != 0) break;
    read_line(path, text, sizeof text);
    dprintf(channel, "node%d kb=%ld distances=%s", node, node_memory_kb(node), text);
    for (int i = 0; i < 2; ++i) {
      snprintf(path, sizeof path, "/sys/devices/system/node/node%d/access0/initiators/%s", node,
               attributes[i]);
      read_line(path, text, sizeof text);
      dprintf(channel, " %s=%s", attributes[i], text);
    }
    dprintf(channel, "; ");
  }
  for (int i = 0; i < 3; ++i) {
    snprintf(path, sizeof path, "/sys/devices/system/node/%s", masks[i]);
    read_line(path, text, sizeof text);
    dprintf(channel, " %s=%s", masks[i], text);
  }
  dprintf(channel, "\n");
}

static char* reported_page;

/* A page of ours and its guest-physical address, from /proc/self/pagemap
 * (Documentation/admin-guide/mm/pagemap.rst). */
static void report_page(int channel) {
  const size_t size = 4096;
  char* page = mmap(0, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED, -1, 0);
  strcpy(page, "a page of the guest");
  reported_page = page;
  uint64_t entry = 0;
  int map = open("/proc/self/pagemap", O_RDONLY);
  if (pread(map, &entry, sizeof entry, (off_t)((uintptr_t)page / size * sizeof entry)) != sizeof entry)
    entry = 0;
  close(map);
  dprintf(channel, "%llx\n", (unsigned long long)((entry & ((1ULL << 55) - 1)) * size));
}

static void start_spinners(int channel) {
  for (int cpu = 0; cpu < get_nprocs(); ++cpu) {
    if (fork() != 0) continue;
    for (volatile uint64_t count = 0;; ++count) {
    }
  }
  dprintf(channel, "spinning\n");
}

static void report_kernel_text(int channel) {
  char line[256];
  read_line("/proc/kallsyms", line, sizeof line);
  line[strcspn(line, " ")] = 0;
  dprintf(channel, "%s\n", line);
}

static void report_boot_id(int channel) {
  char id[64];
  read_line("/proc/sys/kernel/random/boot_id", id, sizeof id);
  dprintf(channel, "%s\n", id);
}

static void report_uptime(int channel) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  dprintf(channel, "%lld\n", now.tv_sec * 1000000000LL + now.tv_nsec);
}

/* Whether KVM says that no CPU ever waits (Documentation/virt/kvm/x86/cpuid.rst): bit 0 of EDX. */
static void report_hint(int channel) {
  unsigned int eax = 0x40000001, ebx, ecx = 0, edx;
  __asm__ volatile("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
  dprintf(channel, "%u\n", edx & 1);
}

/* How many requests of this kind there have been: what was written before a fork and what after. */
static void report_count(int channel) {
  static int count;
  dprintf(channel, "%d\n", ++count);
}

static void serve(int channel) {
  char request;
  dprintf(channel, "ready\n");
  while (read(channel, &request, 1) == 1) {
    if (request == 't') report_topology(channel);
    if (request == 'n') report_nodes(channel);
    if (request == 'm') report_page(channel);
    if (request == 'v') dprintf(channel, "%s\n", reported_page ? reported_page : "none");
    if (request == 's') start_spinners(channel);
    if (request == 'k') report_kernel_text(channel);
    if (request == 'b') report_boot_id(channel);
    if (request == 'u') report_uptime(channel);
    if (request == 'c') report_count(channel);
    if (request == 'h') report_hint(channel);
    if (request == 'p') dprintf(channel, "pong\n");
    if (request == 'r') reboot(RB_AUTOBOOT);
    if (request == 'o') reboot(RB_POWER_OFF);
    if (request == 'x') exit(1);
  }
}

int main(void) {
  char command_line[4096];
  mount("devtmpfs", "/dev", "devtmpfs", 0, 0);
  mount("proc", "/proc", "proc", 0, 0);
  mount("sysfs", "/sys", "sysfs", 0, 0);
  read_line("/proc/cmdline", command_line, sizeof command_line);
  if (strstr(command_line, "test_mode=silent")) {
    dprintf(open("/dev/console", O_WRONLY), "init is stuck here\n");
    for (;;) pause();
  }
  serve(open_channel());
  return 1;
}
