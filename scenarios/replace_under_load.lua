local k = require "ktstr"

-- Each replacement leaves the workers to the kernel's own scheduler for a moment, and none of them without a CPU.
return k.scenario {
  name = "replace_under_load",
  description = "a scheduler is replaced by itself with other arguments while all CPUs are busy",
  topology = "1n2l2c1t",
  duration = "8s",

  scheduler = k.scheduler { name = "first", path = "scx_ktstr", args = { "--name", "first" } },

  cgroups = {
    busy   = { works = { k.work.cpu_spin { workers = 6 } } },
    bursty = { works = { k.work.bursty { workers = 4 } } },
  },

  -- There are more spinners than CPUs, and not a multiple: who shares a CPU is evened out slowly.
  expect = { max_spread_pct = 60 },

  steps = {
    k.step { hold = "3s" },
    k.step {
      k.op.replace_scheduler(k.scheduler {
        name = "second", path = "scx_ktstr", args = { "--name", "second", "--slice-ns", "5000000" },
      }),
      hold = k.hold.rest,
    },
  },
}
