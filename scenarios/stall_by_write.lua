local k = require "ktstr"

-- The scheduler is healthy until the host writes a name into its memory: every thread of that name then waits for good.
return k.scenario {
  name = "stall_by_write",
  description = "a variable written from outside makes a healthy scheduler stall a task, and the watchdog ends it",
  topology = "1n1l2c1t",
  duration = "10s",

  scheduler = k.scheduler { path = "scx_ktstr", args = { "--timeout-ms", "2000" } },

  cgroups = {
    busy   = { works = { k.work.cpu_spin { workers = 1 } } },
    victim = { works = { k.work.bursty { workers = 1, comm = "victim", burst = "5ms", sleep = "5ms" } } },
  },

  steps = {
    k.step { k.op.read_bpf_map("ktstr.bss", "stalled", "before"), hold = "2s" },
    k.step { k.op.write_bpf_map("ktstr.bss", "stall_comm", "victim"), hold = k.hold.rest },
  },

  -- Fewer workers than CPUs: a task that runs on alone is no fault here.
  expect = { scheduler_error = { matches = "victim.*failed to run" }, monitor = { max_keep_last_rate = 10000 } },

  check = function(report)
    if report.map_readings[1].value ~= 0 then return "tasks were stalled before the write" end
  end,
}
