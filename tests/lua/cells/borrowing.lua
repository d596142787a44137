local k = require "ktstr"

-- Idle-priority workers on borrowed CPUs beside many short bursts.
return k.scenario {
  topology = "1n2l4c2t", duration = "180s", memory = "256M",
  scheduler = k.scheduler { name = "cells", path = "scx_ktstr" },
  cgroups = {
    ktstr = {},
    ["ktstr/alpha"] = { works = { k.work.bursty { workers = 64, burst = "1ms", sleep = "10ms" } } },
    ["ktstr/beta"]  = { works = { k.work.cpu_spin { workers = 8, policy = k.policy.idle } } },
  },
}
