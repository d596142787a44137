-- Prints which members the monitor's part of the report has, so that two backends' can be compared.
local k = require "ktstr"

local function add_shape(value, path, shape)
  if type(value) ~= "table" then
    shape[path .. ": " .. type(value)] = true
    return
  end
  for key, member in pairs(value) do
    add_shape(member, type(key) == "number" and path .. "[]" or path .. "." .. key, shape)
  end
end

return k.scenario {
  name = "sample_shape",
  description = "two CPUs with a worker each",
  topology = "1n1l2c1t",
  duration = "2s",
  cgroups = { load = { works = { k.work.cpu_spin { workers = 2 } } } },
  check = function(report)
    local shape, lines = {}, {}
    add_shape(report.monitor.samples, "samples", shape)
    for line in pairs(shape) do lines[#lines + 1] = line end
    table.sort(lines)
    for _, line in ipairs(lines) do print("shape " .. line) end
  end,
}
