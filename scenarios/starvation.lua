local k = require "ktstr"

return k.scenario {
  name = "starvation",
  description = "a scheduler keeps every worker of many going, in two LLCs and on one CPU each",
  topology = "1n2l2c1t",
  duration = "8s",

  scheduler = "scx_ktstr",

  cgroups = {
    left   = { cpuset = k.cpuset.llc(0), works = { k.work.cpu_spin { workers = 6 } } },
    right  = { cpuset = k.cpuset.llc(1), works = { k.work.cpu_spin { workers = 3 } } },
    pinned = { works = { k.work.bursty { workers = 3, affinity = k.affinity.single_cpu } } },
  },

  -- The kernel's watchdog, at 5 s if the scheduler has its way, must not judge before the limit does.
  watchdog_timeout = "12s",
  expect = { no_starvation = true, max_gap = "6s" },
}
