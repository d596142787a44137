local k = require "ktstr"

return k.scenario {
  name = "nested_steady",
  description = "cgroups inside cgroups, with the cpuset on the outer ones",
  topology = "1n2l2c1t",
  duration = "4s",

  cgroups = {
    ["left"]      = { cpuset = k.cpuset.disjoint(0, 2) },
    ["left/api"]  = { works = { k.work.cpu_spin { workers = 2 } } },
    ["left/jobs"] = { works = { k.work.bursty { workers = 2 } } },
    ["right"]     = { cpuset = k.cpuset.disjoint(1, 2) },
    ["right/api"] = { works = { k.work.cpu_spin { workers = 2 } } },
  },
}
