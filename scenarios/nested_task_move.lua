local k = require "ktstr"

return k.scenario {
  name = "nested_task_move",
  description = "workers move from one nested cgroup to another and back",
  topology = "1n2l2c1t",
  duration = "6s",

  cgroups = {
    ["pool"]     = { cpuset = k.cpuset.range(0, 1) },
    ["pool/one"] = { works = { k.work.cpu_spin { workers = 4 } } },
    ["pool/two"] = {},
  },

  -- There are more spinners than CPUs, and not a multiple: who shares a CPU is evened out slowly.
  expect = { max_spread_pct = 60 },

  steps = {
    k.step { hold = "2s" },
    k.step { k.op.move_all_tasks("pool/one", "pool/two"), hold = "2s" },
    k.step { k.op.move_all_tasks("pool/two", "pool/one"), hold = k.hold.rest },
  },
}
