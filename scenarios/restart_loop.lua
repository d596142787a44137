local k = require "ktstr"

return k.scenario {
  name = "restart_loop",
  description = "a scheduler is restarted again and again under load",
  topology = "1n2l2c1t",
  duration = "16s",

  scheduler = "scx_ktstr",

  cgroups = {
    busy = { works = { k.work.cpu_spin { workers = 6 } } },
    chat = { works = { k.work.pipe_io { workers = 4 } } },
  },

  -- There are more spinners than CPUs, and not a multiple: who shares a CPU is evened out slowly.
  expect = { max_spread_pct = 60 },

  steps = {
    k.step { k.op.restart_scheduler, hold = k.hold.loop("5s", "15s") },
  },
}
