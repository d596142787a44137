local k = require "ktstr"

return k.scenario {
  name = "cgroup_remove",
  description = "one of three cgroups is stopped and removed",
  topology = "1n2l2c1t",
  duration = "5s",

  cgroups = {
    first  = { works = { k.work.cpu_spin { workers = 3 } } },
    second = { works = { k.work.bursty { workers = 3 } } },
    third  = { works = { k.work.cpu_spin { workers = 3 } } },
  },

  -- There are more spinners than CPUs, and not a multiple: who shares a CPU is evened out slowly.
  expect = { max_spread_pct = 60 },

  steps = {
    k.step { hold = 0.4 },
    k.step { k.op.remove_cgroup "third", hold = k.hold.rest },
  },
}
