/* What the maps of scx_ktstr hold: one header for the object, its loader and the tests (C and C++). */
#pragma once

#ifndef __bpf__
#include <linux/types.h>
#include <string.h>
#ifndef __cplusplus
#include <stdbool.h>
#endif
#endif

/* Entries that the loader puts into each map; a map's max_entries is larger where that shows something. */
#define FIXTURE_ARRAY_ENTRIES 16
#define FIXTURE_HASH_ENTRIES 32
#define FIXTURE_LRU_ENTRIES 8
#define FIXTURE_PERCPU_ENTRIES 4
#define FIXTURE_QUEUE_ENTRIES 5
#define FIXTURE_RING_RECORDS 3
#define FIXTURE_USER_RING_RECORDS 2
#define FIXTURE_INNER_MAPS 2
#define FIXTURE_INNER_ENTRIES 4
#define FIXTURE_LPM_ENTRIES 3

/* Keys of the hash maps are FIXTURE_KEY_BASE + i. */
#define FIXTURE_KEY_BASE 1000u
/* Entry i of a per-CPU map holds FIXTURE_PERCPU_BASE + i * FIXTURE_PERCPU_STRIDE + cpu. */
#define FIXTURE_PERCPU_BASE 7000u
#define FIXTURE_PERCPU_STRIDE 100u
/* Entry i of queue and stack, in the order of pushing. */
#define FIXTURE_QUEUE_BASE 500u
/* Entry j of inner map i holds FIXTURE_INNER_BASE + i * FIXTURE_INNER_STRIDE + j. */
#define FIXTURE_INNER_BASE 9000u
#define FIXTURE_INNER_STRIDE 10u
/* Values in the bloom filter: FIXTURE_BLOOM_BASE + i, i below FIXTURE_QUEUE_ENTRIES. */
#define FIXTURE_BLOOM_BASE 600u

/* Globals. */
#define FIXTURE_DATA_NUMBER 0x1122334455667788ull
#define FIXTURE_RODATA_NUMBER 0x0102030405060708ull
#define FIXTURE_TUNING_NUMBER 424242u
#define FIXTURE_TUNING_LABEL "tuning"

/* What every task's storage, cgroup's storage and arena slot begins with. */
#define FIXTURE_TASK_MAGIC 0x6b7473747274736bull
#define FIXTURE_CGROUP_MAGIC 0x6b74737472636772ull
#define FIXTURE_SLOT_MAGIC 0x6b7473747273646cull
/* Blocks from the bump allocator: their number (a power of two: older verifiers know no bound of another
 * remainder), each one's size in bytes, and what block i's words hold. */
#define FIXTURE_STATIC_BLOCKS 4
#define FIXTURE_STATIC_BLOCK_BYTES 192
#define FIXTURE_STATIC_BASE 0x5747000000000000ull

enum fixture_color {
  FIXTURE_RED = 0,
  FIXTURE_GREEN = 1,
  FIXTURE_BLUE = 2,
  FIXTURE_COLORS = 3,
};

struct fixture_point {
  __s16 x;
  __s16 y;
};

/* One value with members of most kinds. No floating point: bpftool 7.1 prints broken JSON for it. */
struct fixture_record {
  __u64 number;
  __s32 negative;
  enum fixture_color color;
  bool flag;
  __u8 low : 3;
  __u8 high : 5;
  char label[16];
  __u16 series[4];
  struct fixture_point point;
  union {
    __u32 word;
    __u8 bytes[4];
  };
};

/* Value of large_hash under key i, which is there when the loader is asked for so many entries. */
struct fixture_row {
  __u64 number;   /* i */
  __u64 words[7]; /* word j is i + j */
};

/* Key of the LPM trie: FIXTURE_LPM_PREFIX + 8 * i bits of FIXTURE_LPM_ADDRESS. */
#define FIXTURE_LPM_PREFIX 8
#define FIXTURE_LPM_ADDRESS 0x0a010203u /* 10.1.2.3, in network order in the key */
struct fixture_lpm_key {
  __u32 prefixlen;
  __u8 address[4];
};

/* A record of the ring buffers. */
struct fixture_ring_record {
  __u32 sequence; /* from 0 */
  __u32 magic;    /* FIXTURE_RING_MAGIC */
  __u64 cube;     /* sequence to the third */
};
#define FIXTURE_RING_MAGIC 0x52494e47u

/* The record of the ring buffer "exits": what the scheduler's exit callback leaves for its loader. */
struct exit_record {
  __s32 kind; /* enum scx_exit_kind of the running kernel */
  __s64 code;
  char reason[128];
  char message[1024];
};

#ifndef __bpf__
/* The record with number i. */
static inline struct fixture_record fixture_record_at(__u32 i) {
  struct fixture_record record;
  memset(&record, 0, sizeof(record));
  record.number = 1000000ull + i;
  record.negative = -(__s32)i - 1;
  record.color = (enum fixture_color)(i % FIXTURE_COLORS);
  record.flag = i % 2 == 1;
  record.low = i % 8;
  record.high = i % 32;
  memcpy(record.label, "record-", 7);
  record.label[7] = (char)('0' + i / 10 % 10);
  record.label[8] = (char)('0' + i % 10);
  for (__u32 j = 0; j < 4; ++j) record.series[j] = (__u16)(10 * i + j);
  record.point.x = (__s16)i;
  record.point.y = (__s16)(-(__s32)i);
  record.word = 0x01020304u + i;
  return record;
}
#endif
