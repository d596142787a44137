local k = require "ktstr"

-- Both schedulers have a map "ktstr.bss". Pinned, the former one's keeps its counters when the scheduler is gone.
return k.scenario {
  name = "counters_across_swap",
  description = "what a scheduler counted is read before and after it was replaced, beside its successor's",
  topology = "1n2l2c1t",
  duration = "6s",

  scheduler = k.scheduler { name = "first", path = "scx_ktstr", args = { "--name", "first" } },

  cgroups = { busy = { works = { k.work.bursty { workers = 6 } } } },

  steps = {
    k.step { hold = "2s" },
    k.step {
      k.op.pin_bpf_map("ktstr.bss", "former"),
      k.op.read_bpf_map("ktstr.bss", "enqueued", "before"),
      k.op.replace_scheduler(k.scheduler { name = "second", path = "scx_ktstr", args = { "--name", "second" } }),
      k.op.read_bpf_map("former", "enqueued", "after"),
      hold = "2s",
    },
    k.step {
      k.op.read_bpf_map("former", "enqueued", "kept"),
      k.op.read_bpf_map("ktstr.bss", "enqueued", "successor"),
      hold = k.hold.rest,
    },
  },

  expect = { monitor = { max_keep_last_rate = 10000 } },

  check = function(report)
    local enqueued = {}
    for _, reading in ipairs(report.map_readings) do enqueued[reading.name] = reading.value end
    if enqueued.before == 0 or enqueued.successor == 0 then report:fail("a scheduler counted nothing") end
    if enqueued.after < enqueued.before then report:fail("the former counter went back") end
    if enqueued.kept ~= enqueued.after then report:fail("the former counter moved without its scheduler") end
  end,
}
