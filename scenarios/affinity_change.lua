local k = require "ktstr"

return k.scenario {
  name = "affinity_change",
  description = "workers get another affinity every second: one LLC, random pairs, all CPUs",
  topology = "1n2l2c1t",
  duration = "6s",

  cgroups = {
    moved  = { works = { k.work.cpu_spin { workers = 4, affinity = k.affinity.llc_aligned } } },
    steady = { works = { k.work.bursty { workers = 2 } } },
  },

  -- There are more spinners than CPUs, and not a multiple: who shares a CPU is evened out slowly.
  expect = { max_spread_pct = 60 },

  steps = {
    k.step { hold = "2s" },
    k.step { k.op.set_affinity("moved", k.affinity.random_subset { count = 2 }), hold = "2s" },
    k.step { k.op.set_affinity("moved", k.affinity.cross_cgroup), hold = k.hold.rest },
  },
}
