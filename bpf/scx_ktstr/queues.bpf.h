/* The scheduler's dispatch queues. */
#pragma once

enum {
  DSQ_LLC = 0x100,     /* + LLC */
  DSQ_ONE_CPU = 0x200, /* emptied by only_cpu alone */
  DSQ_STALLED = 0x201, /* emptied while nothing is to be stalled */
  DSQ_LEAKED = 0x202,  /* never emptied */
  DSQ_UNKNOWN = 0x666, /* does not exist */
};
