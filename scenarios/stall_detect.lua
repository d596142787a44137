local k = require "ktstr"

return k.scenario {
  name = "stall_detect",
  description = "a scheduler forgets one task; the kernel's watchdog notices and ends it",
  topology = "1n2l2c1t",
  duration = "12s",

  scheduler = k.scheduler {
    path = "scx_ktstr",
    args = { "--timeout-ms", "2000", "--stall-comm", "victim" },
    -- The victim stands still for as long as the watchdog lets it, which is what this is about.
    expect = { scheduler_error = { contains = "runnable task stall" }, max_gap = "30s",
               monitor = { max_keep_last_rate = 10000 } },
  },

  cgroups = {
    busy   = { works = { k.work.cpu_spin { workers = 3 } } },
    victim = { works = { k.work.bursty { workers = 1, comm = "victim", burst = "5ms", sleep = "5ms" } } },
  },
}
