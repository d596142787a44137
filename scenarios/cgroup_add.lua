local k = require "ktstr"

return k.scenario {
  name = "cgroup_add",
  description = "a third cgroup arrives while two are running",
  topology = "1n2l2c1t",
  duration = "5s",

  cgroups = {
    first  = { works = { k.work.cpu_spin { workers = 3 } } },
    second = { works = { k.work.bursty { workers = 3 } } },
  },

  -- There are more spinners than CPUs, and not a multiple: who shares a CPU is evened out slowly.
  expect = { max_spread_pct = 60 },

  steps = {
    k.step { hold = 0.4 },
    k.step { setup = { third = { works = { k.work.cpu_spin { workers = 3 } } } }, hold = k.hold.rest },
  },
}
