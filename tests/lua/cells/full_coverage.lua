local k = require "ktstr"

-- Two cgroups whose cpusets leave no CPU to anybody else.
return k.scenario {
  duration = "30s", memory = "256M",
  scheduler = k.scheduler {
    name = "cells", path = "scx_ktstr", topology = "1n2l4c2t", args = { "--name", "cells" },
  },
  cgroups = { ktstr = {} },
  steps = {
    k.step {
      setup = {
        ["ktstr/alpha"] = { cpuset = k.cpuset.exact "0-7",  works = { k.work.cpu_spin { workers = 1 } } },
        ["ktstr/beta"]  = { cpuset = k.cpuset.exact "8-15", works = { k.work.cpu_spin { workers = 1 } } },
      },
    },
  },
}
