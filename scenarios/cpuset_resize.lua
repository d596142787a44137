local k = require "ktstr"

return k.scenario {
  name = "cpuset_resize",
  description = "one cgroup's cpuset shrinks while the other's grows, then back",
  topology = "1n2l2c1t",
  duration = "6s",

  cgroups = {
    left  = { cpuset = k.cpuset.exact "0-1", works = { k.work.cpu_spin { workers = 3 } } },
    right = { cpuset = k.cpuset.exact "2", works = { k.work.cpu_spin { workers = 3 } } },
  },

  -- There are more spinners than CPUs, and not a multiple: who shares a CPU is evened out slowly.
  expect = { max_spread_pct = 60 },

  steps = {
    k.step { hold = "2s" },
    k.step {
      k.op.set_cpuset("left", k.cpuset.exact "0"),
      k.op.set_cpuset("right", k.cpuset.exact "1-2"),
      hold = "2s",
    },
    k.step {
      k.op.set_cpuset("right", k.cpuset.exact "2"),
      k.op.set_cpuset("left", k.cpuset.exact "0-1"),
      hold = k.hold.rest,
    },
  },
}
