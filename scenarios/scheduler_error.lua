local k = require "ktstr"

return k.scenario {
  name = "scheduler_error",
  description = "a scheduler gives up with scx_bpf_error(), and its message reaches the report",
  topology = "1n1l2c1t",
  duration = "4s",

  scheduler = k.scheduler {
    path = "scx_ktstr",
    args = { "--error", "--error-message", "the sky is falling" },
    expect = { scheduler_error = { contains = "the sky is falling" } },
  },

  cgroups = { busy = { works = { k.work.cpu_spin { workers = 2 } } } },
}
