local k = require "ktstr"

return k.scenario {
  name = "mixed_workloads",
  description = "spinning, yielding, sleeping, writing and waking work side by side",
  topology = "1n2l2c1t",
  duration = "5s",

  cgroups = {
    spin  = { works = { k.work.cpu_spin { workers = 2 }, k.work.yield_heavy { workers = 1 } } },
    sleep = { works = { k.work.bursty { workers = 2 }, k.work.io_sync { workers = 1 } } },
    wake  = { works = { k.work.pipe_io { workers = 2 }, k.work.futex_ping_pong { workers = 2 } } },
  },

  -- Which workers share a CPU with those that sleep now and then is the scheduler's choice.
  expect = { max_spread_pct = 60 },
}
