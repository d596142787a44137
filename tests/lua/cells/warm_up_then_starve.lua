local k = require "ktstr"

-- The scheduler settles first; then cpusets cover all CPUs while workers of the root cgroup want to run.
return k.scenario {
  topology = "1n1l4c1t", duration = "10s", watchdog_timeout = "15s",
  scheduler = k.scheduler { name = "cells", path = "scx_ktstr" },
  steps = {
    k.step { setup = { warmup = { works = { k.work.cpu_spin { workers = 2 } } } }, hold = "3s" },
    k.step {
      k.op.spawn_host(k.work.cpu_spin { workers = 8 }),
      setup = {
        first  = { cpuset = k.cpuset.exact { 0, 1 }, works = { k.work.cpu_spin { workers = 2 } } },
        second = { cpuset = k.cpuset.exact { 2, 3 }, works = { k.work.cpu_spin { workers = 2 } } },
      },
    },
  },
}
