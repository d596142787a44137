local k = require "ktstr"

-- Page allocations of each node since boot, by node number.
local function allocations(snapshot)
  local pages = {}
  for _, node in ipairs(snapshot.per_node_numa) do pages[node.node] = node.numa_hit + node.numa_miss end
  return pages
end

local before

-- Node 2 is what a CXL memory expander looks like: memory that no CPU is near to, far from both nodes that have CPUs.
return k.scenario {
  name = "slow_node",
  description = "tasks on nodes of two LLCs and one get their memory there, not on a third node that has no CPUs",
  topology = {
    nodes = { { llcs = 2, memory = "384M" }, { llcs = 1, memory = "256M" }, { memory = "128M" } },
    distances = { { 10, 21, 40 }, { 21, 10, 40 }, { 40, 40, 10 } },
    latency_ns = { { 90, 140, 400 }, { 140, 90, 400 } },
    bandwidth_mb_per_s = { { 40000, 30000, 8000 }, { 30000, 40000, 8000 } },
  },
  duration = "4s",

  cgroups = {
    near = { cpuset = k.cpuset.numa(0), works = { k.work.page_fault_churn { workers = 2, size = "8M" } } },
    batch = { works = { k.work.bursty { workers = 3 } } },
  },

  steps = {
    k.step { k.op.capture_snapshot("before"), hold = "3s" },
    k.step { k.op.capture_snapshot("after"), hold = k.hold.rest },
  },

  on_snapshot = function(snapshot)
    local pages = allocations(snapshot)
    if not before then
      before = pages
      return
    end
    local near, slow = pages[0] - before[0], pages[2] - before[2]
    if near == 0 then return "no memory was allocated beside the CPUs" end
    if slow * 10 > near then return ("%d pages were allocated beside the CPUs, %d far away"):format(near, slow) end
  end,
}
