/* One map at least of every type that a scheduler can use. The loader fills them (../fixture_contents.h);
 * tasks and cgroups get their storage in the scheduler's callbacks. */
#pragma once

#include "bpf/fixture_contents.h"
#include "bpf/scx_ktstr/arena.bpf.h"

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, 1);
  __type(key, u32);
  __type(value, struct fixture_record);
} array_one SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, FIXTURE_ARRAY_ENTRIES);
  __type(key, u32);
  __type(value, struct fixture_record);
} array_many SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 128);
  __type(key, u32);
  __type(value, struct fixture_record);
} hash SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_LRU_HASH);
  __uint(max_entries, 1024);
  __type(key, u32);
  __type(value, struct fixture_record);
} lru_hash SEC(".maps");

/* Made only when the loader is asked for it, which says how large. */
struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 1);
  __type(key, u64);
  __type(value, struct fixture_row);
} large_hash SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, FIXTURE_PERCPU_ENTRIES);
  __type(key, u32);
  __type(value, u64);
} percpu_array SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_HASH);
  __uint(max_entries, 16);
  __type(key, u32);
  __type(value, u64);
} percpu_hash SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_LRU_PERCPU_HASH);
  __uint(max_entries, 1024);
  __type(key, u32);
  __type(value, u64);
} lru_percpu_hash SEC(".maps");

/* One of FIXTURE_STATIC_BLOCKS, in memory of the bump allocator. */
struct static_block {
  u32 number;
  u32 words_used;
  struct static_block __arena* next;             /* the block before it; NULL in block 0 */
  u64 words[FIXTURE_STATIC_BLOCK_BYTES / 8 - 2]; /* FIXTURE_STATIC_BASE + number * 0x10000 + place */
};

/* What the scheduler keeps of a task in the arena. */
struct task_ctx {
  u64 magic; /* FIXTURE_SLOT_MAGIC */
  s32 pid;
  u32 llc;                            /* where it was enqueued last */
  u64 runs;                           /* how often it got a CPU */
  char comm[16];                      /* when the scheduler first saw it */
  struct static_block __arena* block; /* number pid % FIXTURE_STATIC_BLOCKS */
  struct task_ctx __arena* self;      /* a cycle of one */
};

/* Always NULL. What a program reaches through pointers within structures only, the compiler leaves undefined
 * in its BTF; by this variable a reader of the BTF learns what the slots hold. */
struct task_ctx __arena* task_ctx_type;

/* What the scheduler knows of a task. */
struct task_context {
  u64 magic;                     /* FIXTURE_TASK_MAGIC */
  struct sdt_data __arena* data; /* its slot, with a struct task_ctx as payload */
  s32 pid;
  u64 vtime;
  u64 started_ns; /* when it got its CPU */
};

struct {
  __uint(type, BPF_MAP_TYPE_TASK_STORAGE);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __type(key, int);
  __type(value, struct task_context);
} task_contexts SEC(".maps");

struct cgroup_context {
  u64 magic; /* FIXTURE_CGROUP_MAGIC */
  u64 id;    /* the cgroup's, as statx's inode number shows it */
  u32 weight;
};

struct {
  __uint(type, BPF_MAP_TYPE_CGRP_STORAGE);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __type(key, int);
  __type(value, struct cgroup_context);
} cgroup_contexts SEC(".maps");

/* FIXTURE_RING_RECORDS records that nobody consumes. */
struct {
  __uint(type, BPF_MAP_TYPE_RINGBUF);
  __uint(max_entries, 4096);
} ring SEC(".maps");

/* FIXTURE_USER_RING_RECORDS records from the loader that no program drains. */
struct {
  __uint(type, BPF_MAP_TYPE_USER_RINGBUF);
  __uint(max_entries, 4096);
} user_ring SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_STACK_TRACE);
  __uint(max_entries, 16);
  __uint(key_size, sizeof(u32));
  __uint(value_size, 32 * sizeof(u64));
} stack_traces SEC(".maps");

/* Entry 1 is fill_fixture. */
struct {
  __uint(type, BPF_MAP_TYPE_PROG_ARRAY);
  __uint(max_entries, 4);
  __uint(key_size, sizeof(u32));
  __uint(value_size, sizeof(u32));
} prog_array SEC(".maps");

struct inner_map {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, FIXTURE_INNER_ENTRIES);
  __type(key, u32);
  __type(value, u64);
};
struct inner_map inner_0 SEC(".maps"), inner_1 SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
  __uint(max_entries, 4);
  __uint(key_size, sizeof(u32));
  __array(values, struct inner_map);
} array_of_maps SEC(".maps") = {.values = {(void*)&inner_0, (void*)&inner_1}};

/* Key FIXTURE_KEY_BASE + i is inner map i. */
struct {
  __uint(type, BPF_MAP_TYPE_HASH_OF_MAPS);
  __uint(max_entries, 4);
  __uint(key_size, sizeof(u32));
  __array(values, struct inner_map);
} hash_of_maps SEC(".maps");

/* Entry 0 is a software event of the loader's. */
struct {
  __uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
  __uint(max_entries, 4);
  __uint(key_size, sizeof(u32));
  __uint(value_size, sizeof(u32));
} perf_events SEC(".maps");

/* Entry 0 is the root cgroup, where cgroup2 is mounted. */
struct {
  __uint(type, BPF_MAP_TYPE_CGROUP_ARRAY);
  __uint(max_entries, 4);
  __uint(key_size, sizeof(u32));
  __uint(value_size, sizeof(u32));
} cgroup_array SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_QUEUE);
  __uint(max_entries, 8);
  __type(value, u32);
} queue SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_STACK);
  __uint(max_entries, 8);
  __type(value, u32);
} stack SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_BLOOM_FILTER);
  __uint(max_entries, 64);
  __uint(map_extra, 3);
  __type(value, u32);
} bloom_filter SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_LPM_TRIE);
  __uint(max_entries, 16);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __type(key, struct fixture_lpm_key);
  __type(value, u64);
} lpm_trie SEC(".maps");

/* How the scheduler ended (struct exit_record), for the loader. */
struct {
  __uint(type, BPF_MAP_TYPE_RINGBUF);
  __uint(max_entries, 4096);
} exits SEC(".maps");

/* A data section of its own. */
struct tuning {
  u32 number;
  char label[16];
  u64 steps[4];
};
struct tuning tuning SEC(".data.tuning") = {
    .number = FIXTURE_TUNING_NUMBER, .label = FIXTURE_TUNING_LABEL, .steps = {1, 2, 4, 8}};
