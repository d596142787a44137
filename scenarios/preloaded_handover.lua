local k = require "ktstr"

-- The successor loads and is verified while the first still schedules: the gap is that of its attach.
local second = k.scheduler { name = "second", path = "scx_ktstr", args = { "--name", "second" } }

return k.scenario {
  name = "preloaded_handover",
  description = "a scheduler takes over from another that runs until the moment of its attach",
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
    k.step { k.op.replace_scheduler(second, "preloaded"), hold = k.hold.rest },
  },
}
