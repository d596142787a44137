local k = require "ktstr"

return k.scenario {
  name = "cpuset_clear",
  description = "cgroups lose their cpusets and may run everywhere",
  topology = "1n2l2c1t",
  duration = "5s",

  cgroups = {
    left  = { cpuset = k.cpuset.disjoint(0, 2), works = { k.work.cpu_spin { workers = 3 } } },
    right = { cpuset = k.cpuset.disjoint(1, 2), works = { k.work.cpu_spin { workers = 3 } } },
  },

  -- There are more spinners than CPUs, and not a multiple: who shares a CPU is evened out slowly.
  expect = { max_spread_pct = 60 },

  steps = {
    k.step { hold = 0.4 },
    k.step { k.op.clear_cpuset("left"), k.op.clear_cpuset("right"), hold = k.hold.rest },
  },
}
