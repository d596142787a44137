local k = require "ktstr"

-- What was borrowed is taken back: the lender gets busy in the second step.
return k.scenario {
  topology = "1n2l4c2t", duration = "35s", memory = "256M",
  scheduler = k.scheduler { name = "cells", path = "scx_ktstr" },
  backdrop = {
    cgroups = {
      ktstr = {},
      ["ktstr/alpha"] = {
        cpuset = k.cpuset.exact "4-15",
        works = { k.work.bursty { workers = 2, burst = "1ms", sleep = "10ms" } },
      },
      ["ktstr/beta"] = {
        works = { k.work.cpu_spin { workers = 5 }, k.work.cpu_spin { workers = 1, policy = k.policy.idle } },
      },
    },
  },
  steps = {
    k.step { k.op.spawn_host(k.work.cpu_spin { workers = 4, affinity = k.affinity.exact { 0, 1 } }), hold = "3s" },
    k.step { k.op.spawn("ktstr/alpha", k.work.cpu_spin { workers = 24 }), hold = "30s" },
  },
}
