local k = require "ktstr"

return k.scenario {
  name = "cpuset_apply",
  description = "cgroups that ran everywhere get cpusets",
  topology = "1n2l2c1t",
  duration = "5s",

  cgroups = {
    left  = { works = { k.work.cpu_spin { workers = 3 } } },
    right = { works = { k.work.cpu_spin { workers = 3 } } },
  },

  -- There are more spinners than CPUs, and not a multiple: who shares a CPU is evened out slowly.
  expect = { max_spread_pct = 60 },

  steps = {
    k.step { hold = 0.4 },
    k.step {
      k.op.set_cpuset("left", k.cpuset.disjoint(0, 2)),
      k.op.set_cpuset("right", k.cpuset.disjoint(1, 2)),
      hold = k.hold.rest,
    },
  },
}
