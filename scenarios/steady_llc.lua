local k = require "ktstr"

return k.scenario {
  name = "steady_llc",
  description = "one cgroup in each LLC, nothing changes",
  topology = "1n2l2c1t",
  duration = "4s",

  cgroups = {
    first  = { cpuset = k.cpuset.llc(0), works = { k.work.cpu_spin { workers = 4 } } },
    second = { cpuset = k.cpuset.llc(1), works = { k.work.cpu_spin { workers = 2 } } },
  },

  expect = { isolation = true },
}
