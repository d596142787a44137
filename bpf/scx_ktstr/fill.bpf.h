/* Contents of the arena and of the maps that only a program can fill. */
#pragma once

#include "bpf/scx_ktstr/maps.bpf.h"

struct scx_allocator scx_task_allocator;
struct static_block __arena* static_blocks[FIXTURE_STATIC_BLOCKS];

static struct task_ctx __arena* arena_part(struct task_context* context) {
  name_arena();
  return context->data ? (struct task_ctx __arena*)context->data->payload : 0;
}

static int fill_slot(struct task_context* context, struct task_struct* p) {
  context->data = allocator_take(&scx_task_allocator);
  struct task_ctx __arena* part = arena_part(context);
  if (!part) return -12; /* ENOMEM */
  part->magic = FIXTURE_SLOT_MAGIC;
  part->pid = p->pid;
  for (u32 i = 0; i < sizeof(part->comm); ++i) part->comm[i] = p->comm[i];
  part->block = static_blocks[(u32)p->pid % FIXTURE_STATIC_BLOCKS];
  part->self = part;
  return 0;
}

static int fill_static_blocks(void) {
  if (static_init(2)) return -12; /* ENOMEM */
  struct static_block __arena* before = 0;
  for (u32 i = 0; i < FIXTURE_STATIC_BLOCKS; ++i) {
    struct static_block __arena* block = static_take(sizeof(*block));
    if (!block) return -12; /* ENOMEM */
    block->number = i;
    block->words_used = sizeof(block->words) / sizeof(block->words[0]);
    block->next = before;
    for (u32 j = 0; j < sizeof(block->words) / sizeof(block->words[0]); ++j)
      block->words[j] = FIXTURE_STATIC_BASE + i * 0x10000 + j;
    static_blocks[i] = before = block;
  }
  return 0;
}

/* Run once by the loader: fills what only a program can fill. */
SEC("raw_tp")
int fill_fixture(void* context) {
  for (u32 i = 0; i < FIXTURE_RING_RECORDS; ++i) {
    struct fixture_ring_record record = {.sequence = i, .magic = FIXTURE_RING_MAGIC, .cube = (u64)i * i * i};
    bpf_ringbuf_output(&ring, &record, sizeof(record), 0);
  }
  return bpf_get_stackid(context, &stack_traces, 0);
}
