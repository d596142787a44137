local k = require "ktstr"

-- The same two tenants under the scheduler, then under the kernel's own: the cgroups of a step end with it.
local function tenants()
  return {
    ["test.slice/sensitive"] = { works = { k.work.cpu_spin { workers = 2 } } },
    ["test.slice/hog"]       = { works = { k.work.cpu_spin { workers = 30 } } },
  }
end

local function work_units(report, cgroup, nth)
  for _, group in ipairs(report.groups) do
    if group.cgroup == cgroup then
      nth = nth - 1
      if nth == 0 then return group.work_units end
    end
  end
end

return k.scenario {
  topology = "1n4l4c1t", duration = "20s", memory = "512M", watchdog_timeout = "10s",
  scheduler = k.scheduler { name = "cells", path = "scx_ktstr" },
  cgroups = { ["test.slice"] = {} },
  steps = {
    k.step { setup = tenants(), hold = 0.5 },
    k.step { k.op.detach_scheduler, setup = tenants(), hold = 0.5 },
  },
  check = function(report)
    local with, without = work_units(report, "test.slice/hog", 1), work_units(report, "test.slice/hog", 2)
    if not (with and without) then return "no figures of each step" end
    if with < without * 0.5 then return "the hog is starved" end
  end,
}
