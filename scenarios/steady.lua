local k = require "ktstr"

return k.scenario {
  name = "steady",
  description = "two equal cgroups that spin, nothing changes",
  topology = "1n1l4c1t",
  duration = "4s",

  cgroups = {
    left  = { works = { k.work.cpu_spin { workers = 4 } } },
    right = { works = { k.work.cpu_spin { workers = 4 } } },
  },
}
