local k = require "ktstr"

return k.scenario {
  name = "affinity_pinned",
  description = "workers pinned to two CPUs beside workers that are free",
  topology = "1n2l2c1t",
  duration = "4s",

  cgroups = {
    pinned = { works = { k.work.cpu_spin { workers = 4, affinity = k.affinity.exact "0-1" } } },
    free   = { works = { k.work.bursty { workers = 2 } } },
  },
}
