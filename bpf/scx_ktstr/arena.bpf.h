/* The arena and two ways to allocate from it, of the shapes that the schedulers of the scx project use:
 * `scx_allocator`, a radix tree of equal slots, and `scx_static`, a block that only grows. Names and members
 * are those that readers look for. */
#pragma once

#include "bpf/fixture_contents.h"

#define __arena __attribute__((address_space(1)))

extern void __arena* bpf_arena_alloc_pages(void* map, void __arena* address, u32 pages, int node,
                                           u64 flags) __ksym;
extern void bpf_arena_free_pages(void* map, void __arena* address, u32 pages) __ksym;

enum { ARENA_PAGE_BYTES = 4096, ANY_NODE = -1 };

struct {
  __uint(type, BPF_MAP_TYPE_ARENA);
  __uint(map_flags, BPF_F_MMAPABLE);
  __uint(max_entries, 1 << 20);   /* pages */
  __ulong(map_extra, 1ull << 44); /* where user space maps it */
} arena SEC(".maps");

/* The kernel knows a program's arena by the map that the program names; one that only follows pointers must
 * name it too. */
static __always_inline void name_arena(void) {
  asm volatile("" : : "r"(&arena));
}

enum {
  SDT_LEVELS = 3,
  SDT_ENTRY_SHIFT = 9,
  SDT_ENTRIES = 1 << SDT_ENTRY_SHIFT,
  SDT_BITMAP_WORDS = SDT_ENTRIES / 64,
  /* Most pages that one allocation takes: a descriptor and a chunk for each level below the root, and the
     slot. */
  SDT_MOST_PAGES = 2 * (SDT_LEVELS - 1) + 1,
};

union sdt_id {
  s64 val;
  struct {
    s32 idx;  /* place in the tree */
    s32 genn; /* how often it has been freed */
  };
};

struct sdt_chunk;

struct sdt_desc {
  u64 allocated[SDT_BITMAP_WORDS]; /* bits of entries without free slot below */
  u64 nr_free;
  struct sdt_chunk __arena* chunk;
};

struct sdt_data {
  union sdt_id tid;
  u64 payload[];
};

struct sdt_chunk {
  union {
    struct sdt_desc __arena* descs[SDT_ENTRIES];
    struct sdt_data __arena* data[SDT_ENTRIES];
  };
};

struct sdt_pool {
  void __arena* slab;
  u64 elem_size;
  u64 max_elems;
  u64 idx;
};

struct scx_allocator {
  struct sdt_pool pool;
  struct sdt_desc __arena* root;
};

struct scx_static {
  u64 max_alloc_bytes;
  void __arena* memory;
  u64 off;
};

struct bpf_spin_lock arena_lock SEC(".bss.lock") __hidden;

/* Guarded by arena_lock. */
struct sdt_pool desc_pool, chunk_pool;
u64 spare_pages[SDT_MOST_PAGES];
u32 nr_spare_pages;
struct scx_static scx_static;

/* Brings the spare pages up to what one allocation may need: pages can't be had under a lock. Gives whether
 * the lock is held and there are enough. */
static __always_inline bool lock_with_spare_pages(void) {
  for (int i = 0; i < 2 * SDT_MOST_PAGES; ++i) {
    bpf_spin_lock(&arena_lock);
    if (nr_spare_pages >= SDT_MOST_PAGES) return true;
    bpf_spin_unlock(&arena_lock);
    void __arena* page = bpf_arena_alloc_pages(&arena, 0, 1, ANY_NODE, 0);
    if (!page) return false;
    bpf_spin_lock(&arena_lock);
    u32 place = nr_spare_pages;
    if (place < SDT_MOST_PAGES) {
      spare_pages[place] = (u64)page;
      nr_spare_pages = place + 1;
    }
    bpf_spin_unlock(&arena_lock);
    if (place >= SDT_MOST_PAGES) bpf_arena_free_pages(&arena, page, 1);
  }
  return false;
}

static __always_inline u64 take_page(void) {
  u32 left = nr_spare_pages - 1;
  if (left >= SDT_MOST_PAGES) return 0;
  nr_spare_pages = left;
  return spare_pages[left];
}

static __always_inline void pool_init(struct sdt_pool* pool, u64 bytes) {
  pool->elem_size = bytes;
  pool->max_elems = ARENA_PAGE_BYTES / bytes;
  pool->idx = pool->max_elems;
}

static __always_inline void __arena* pool_take(struct sdt_pool* pool) {
  if (pool->idx >= pool->max_elems) {
    pool->slab = (void __arena*)take_page();
    pool->idx = 0;
  }
  return (void __arena*)((u64)pool->slab + pool->elem_size * pool->idx++);
}

static __always_inline struct sdt_desc __arena* new_desc(void) {
  struct sdt_desc __arena* desc = pool_take(&desc_pool);
  desc->nr_free = SDT_ENTRIES;
  desc->chunk = pool_take(&chunk_pool);
  return desc;
}

/* Makes an empty tree whose slots have `payload_bytes` (a multiple of 8). Once, before the first allocation.
 */
static __always_inline int allocator_init(struct scx_allocator* allocator, u64 payload_bytes) {
  pool_init(&desc_pool, sizeof(struct sdt_desc));
  pool_init(&chunk_pool, sizeof(struct sdt_chunk));
  pool_init(&allocator->pool, sizeof(struct sdt_data) + payload_bytes);
  if (!lock_with_spare_pages()) return -12; /* ENOMEM */
  allocator->root = new_desc();
  bpf_spin_unlock(&arena_lock);
  return 0;
}

/* Number of the lowest bit that is set. Precondition: one is. */
static __always_inline u32 lowest_bit(u64 word) {
  u32 bit = 0;
  if (!(word & 0xffffffff)) bit += 32, word >>= 32;
  if (!(word & 0xffff)) bit += 16, word >>= 16;
  if (!(word & 0xff)) bit += 8, word >>= 8;
  if (!(word & 0xf)) bit += 4, word >>= 4;
  if (!(word & 0x3)) bit += 2, word >>= 2;
  return bit + !(word & 1);
}

/* The first entry with a free slot below it; SDT_ENTRIES when there is none. */
static __always_inline u32 find_free(struct sdt_desc __arena* desc) {
  for (u32 i = 0; i < SDT_BITMAP_WORDS; ++i) {
    u64 free = ~desc->allocated[i];
    if (free) return 64 * i + lowest_bit(free);
  }
  return SDT_ENTRIES;
}

/* The way from the root to a slot. */
struct sdt_path {
  struct sdt_desc __arena* desc[SDT_LEVELS];
  u32 entry[SDT_LEVELS];
};

static __always_inline struct sdt_data __arena* slot_of(struct sdt_path* path) {
  return path->desc[SDT_LEVELS - 1]->chunk->data[path->entry[SDT_LEVELS - 1] % SDT_ENTRIES];
}

/* The first free slot's path and number; -1 when the tree is full. */
static __always_inline s32 descend_to_free(struct scx_allocator* allocator, struct sdt_path* path) {
  struct sdt_desc __arena* desc = allocator->root;
  s32 index = 0;
#pragma unroll
  for (int level = 0; level < SDT_LEVELS; ++level) {
    u32 entry = find_free(desc);
    if (entry >= SDT_ENTRIES) return -1;
    path->desc[level] = desc;
    path->entry[level] = entry;
    index = index << SDT_ENTRY_SHIFT | entry;
    if (level == SDT_LEVELS - 1) break;
    if (!desc->chunk->descs[entry]) desc->chunk->descs[entry] = new_desc();
    desc = desc->chunk->descs[entry];
  }
  return index;
}

static __always_inline void mark_taken(struct sdt_path* path) {
#pragma unroll
  for (int level = SDT_LEVELS - 1; level >= 0; --level) {
    struct sdt_desc __arena* desc = path->desc[level];
    u32 entry = path->entry[level] % SDT_ENTRIES;
    desc->allocated[entry / 64] |= 1ull << entry % 64;
    if (--desc->nr_free > 0) return;
  }
}

static __always_inline void mark_free(struct sdt_path* path) {
#pragma unroll
  for (int level = SDT_LEVELS - 1; level >= 0; --level) {
    struct sdt_desc __arena* desc = path->desc[level];
    u32 entry = path->entry[level] % SDT_ENTRIES;
    desc->allocated[entry / 64] &= ~(1ull << entry % 64);
    if (++desc->nr_free > 1) return;
  }
}

/* A zeroed slot; NULL when memory or tree is full. Sleeps. */
static __always_inline struct sdt_data __arena* allocator_take(struct scx_allocator* allocator) {
  struct sdt_path path = {};
  struct sdt_data __arena* data = 0;
  if (!lock_with_spare_pages()) return 0;
  s32 index = descend_to_free(allocator, &path);
  if (index >= 0) {
    data = slot_of(&path);
    if (!data) {
      data = pool_take(&allocator->pool);
      path.desc[SDT_LEVELS - 1]->chunk->data[path.entry[SDT_LEVELS - 1] % SDT_ENTRIES] = data;
    }
    data->tid.idx = index;
    mark_taken(&path);
  }
  bpf_spin_unlock(&arena_lock);
  return data;
}

static __always_inline void zero_payload(struct sdt_data __arena* data, u64 words) {
  /* Volatile, or clang would make it a memset, which it has for no arena. */
  volatile u64 __arena* payload = data->payload;
  for (u32 i = 0; i < SDT_ENTRIES && i < words; ++i) payload[i] = 0;
}

/* Gives slot `index` back; its memory stays, zeroed, for the next that takes it. Precondition: it is taken.
 */
static __always_inline void allocator_give_back(struct scx_allocator* allocator, s32 index) {
  struct sdt_path path = {};
  bpf_spin_lock(&arena_lock);
  struct sdt_desc __arena* desc = allocator->root;
#pragma unroll
  for (int level = 0; level < SDT_LEVELS; ++level) {
    path.desc[level] = desc;
    path.entry[level] = index >> SDT_ENTRY_SHIFT * (SDT_LEVELS - 1 - level) & (SDT_ENTRIES - 1);
    if (level < SDT_LEVELS - 1) desc = desc->chunk->descs[path.entry[level]];
  }
  struct sdt_data __arena* data = slot_of(&path);
  data->tid.genn += 1;
  zero_payload(data, (allocator->pool.elem_size - sizeof(struct sdt_data)) / sizeof(u64));
  mark_free(&path);
  bpf_spin_unlock(&arena_lock);
}

/* Memory for as long as the scheduler lives. For init alone: not safe beside itself. */
static __always_inline int static_init(u32 pages) {
  scx_static.memory = bpf_arena_alloc_pages(&arena, 0, pages, ANY_NODE, 0);
  scx_static.max_alloc_bytes = (u64)pages * ARENA_PAGE_BYTES;
  scx_static.off = 0;
  return scx_static.memory ? 0 : -12; /* ENOMEM */
}

static __always_inline void __arena* static_take(u64 bytes) {
  if (scx_static.off + bytes > scx_static.max_alloc_bytes) return 0;
  void __arena* memory = (void __arena*)((u64)scx_static.memory + scx_static.off);
  scx_static.off += bytes;
  return memory;
}
