local k = require "ktstr"

return k.scenario {
  name = "stall_recovery",
  description = "after a scheduler was ended for a stall, another one takes over and all tasks run",
  topology = "1n2l2c1t",
  duration = "16s",

  scheduler = k.scheduler {
    name = "stalling",
    path = "scx_ktstr",
    args = { "--name", "stalling", "--timeout-ms", "2000", "--stall-comm", "victim" },
  },

  cgroups = {
    busy   = { works = { k.work.cpu_spin { workers = 3 } } },
    victim = { works = { k.work.bursty { workers = 1, comm = "victim", burst = "5ms", sleep = "5ms" } } },
  },

  steps = {
    k.step { hold = "10s" },
    k.step {
      k.op.replace_scheduler(k.scheduler { name = "healthy", path = "scx_ktstr", args = { "--name", "healthy" } }),
      hold = k.hold.rest,
    },
  },

  -- Fewer workers than CPUs: a task that runs on alone is no fault here. The victim stands still for as long as the
  -- watchdog lets it.
  expect = { scheduler_error = { matches = "victim.*failed to run" }, max_gap = "30s",
             monitor = { max_keep_last_rate = 10000 } },

  check = function(report)
    local healthy = report.schedulers[2]
    if not healthy or healthy.fate ~= "attached" then report:fail("the healthy scheduler is not there at the end") end
  end,
}
