-- The first scenario to run: two cgroups on CPUs of their own, which they exchange half way.
local k = require "ktstr"

return k.scenario {
  name = "hello",
  description = "two cgroups with cpusets that are swapped in the second step",
  topology = "1n2l2c1t",
  duration = "4s",

  cgroups = {
    web   = { cpuset = k.cpuset.disjoint(0, 2), works = { k.work.bursty { workers = 2 } } },
    batch = { cpuset = k.cpuset.disjoint(1, 2), works = { k.work.cpu_spin { workers = 2 } } },
  },

  steps = {
    k.step { hold = "2s" },
    k.step { k.op.swap_cpusets("web", "batch"), hold = k.hold.rest },
  },
}
