local k = require "ktstr"

-- Two versions of one scheduler, as two definitions: compare them under the same load, and go back.
local old = k.scheduler { name = "v1", path = "scx_ktstr", args = { "--name", "v1" } }
local new = k.scheduler { name = "v2", path = "scx_ktstr", args = { "--name", "v2", "--slice-ns", "2000000" } }

return k.scenario {
  name = "swap_between_versions",
  description = "from one version of a scheduler to the other and back, under load",
  topology = "1n2l2c1t",
  duration = "15s",

  scheduler = old,

  cgroups = {
    busy = { works = { k.work.cpu_spin { workers = 5 } } },
    io   = { works = { k.work.io_sync { workers = 2 } } },
  },

  -- There are more spinners than CPUs, and not a multiple: who shares a CPU is evened out slowly.
  expect = { max_spread_pct = 60 },

  steps = {
    k.step { hold = "4s" },
    k.step { k.op.replace_scheduler(new), hold = "4s" },
    k.step { k.op.replace_scheduler "v1", hold = k.hold.rest },
  },

  check = function(report)
    for i, name in ipairs { "v1", "v2", "v1" } do
      local scheduler = report.schedulers[i]
      if not scheduler or scheduler.ops ~= name then report:fail("scheduler " .. i .. " is not " .. name) end
    end
  end,
}
