local k = require "ktstr"

-- A worker pinned into another cgroup's CPUs, which are idle at first and saturated later.
return k.scenario {
  topology = "1n2l4c2t", duration = "35s", memory = "256M",
  scheduler = k.scheduler { name = "cells", path = "scx_ktstr" },
  backdrop = {
    cgroups = {
      ktstr = {},
      ["ktstr/alpha"] = {
        cpuset = k.cpuset.exact { 1, 2, 3, 4, 5, 6, 7 },
        works = { k.work.bursty { workers = 1, burst = "1ms", sleep = "10ms" } },
      },
      ["ktstr/beta"] = {
        works = { k.work.cpu_spin { workers = 1, policy = k.policy.idle, affinity = k.affinity.exact { 1 } } },
      },
    },
  },
  steps = {
    k.step { hold = "1.5s" },
    k.step { k.op.spawn("ktstr/alpha", k.work.cpu_spin { workers = 14 }), hold = "30s" },
  },
}
