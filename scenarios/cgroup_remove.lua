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

  steps = {
    k.step { hold = 0.4 },
    k.step { k.op.remove_cgroup "third", hold = k.hold.rest },
  },
}
