/* What the scheduler's exit callback leaves for its loader (C and C++). */
#pragma once

#ifndef __bpf__
#include <linux/types.h>
#endif

struct exit_record {
  __s32 kind; /* enum scx_exit_kind of the running kernel */
  __s64 code;
  char reason[128];
  char message[1024];
};
