local k = require "ktstr"

-- The monitor reads the run queues from outside: the scheduler can't hide it.
return k.scenario {
  name = "imbalance",
  description = "a scheduler puts every task on one CPU, and the run queues show it",
  topology = "1n2l2c1t",
  duration = "8s",

  scheduler = k.scheduler { path = "scx_ktstr", args = { "--only-cpu", "0" } },

  cgroups = { busy = { works = { k.work.cpu_spin { workers = 8 } } } },

  -- What is looked for would fail a run: here it must be there, and no watchdog end it.
  watchdog_timeout = "30s",
  expect = {
    max_gap = "30s",
    max_spread_pct = 100,
    monitor = { max_imbalance_ratio = 1000, max_local_dsq_depth = 1000 },
  },

  check = function(report)
    local worst = report.monitor.summary.max_imbalance_ratio
    if worst < 4 then report:fail("the largest imbalance ratio seen is " .. worst .. ", not 4 or more") end
  end,
}
