local k = require "ktstr"

-- A cgroup that owns all CPUs but the first, while what is outside of it must live on that one.
return k.scenario {
  topology = "1n1l16c2t", memory = "96M", duration = "30s",
  scheduler = k.scheduler { name = "cells", path = "scx_ktstr", topology = "1n4l4c1t" },
  watchdog_timeout = "5s",
  steps = {
    k.step {
      k.op.spawn_host(k.work.cpu_spin { workers = 1, policy = k.policy.idle }),
      k.op.spawn_host(k.work.bursty { workers = 200, burst = "2ms", sleep = "20ms" }),
      setup = { workload = { cpuset = k.cpuset.range(0.0625, 1), works = { k.work.cpu_spin { workers = 256 } } } },
    },
  },
}
