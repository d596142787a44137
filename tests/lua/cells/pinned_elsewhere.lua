local k = require "ktstr"

-- An idle-priority worker that asks for a CPU of another cgroup's cpuset.
return k.scenario {
  topology = "1n2l4c2t", duration = "30s", memory = "256M",
  scheduler = k.scheduler { name = "cells", path = "scx_ktstr" },
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
}
