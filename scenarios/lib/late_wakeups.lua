-- Workers that sleep and wake beside workers that never sleep, under scx_ktstr with a slice of so many milliseconds; at
-- the end a capture of all threads. A longer slice makes whoever wakes wait longer for a CPU.
local k = require "ktstr"
local ctprof = require "ktstr.ctprof"

-- The time that a sleeper waits for a CPU each time it is put on one, in ms.
local function print_waits(report)
  local capture = ctprof.load(report.ctprof_captures[1].file)
  for _, thread in ipairs(capture.threads) do
    if thread.comm == "sleeper" then
      print(("sleeper %d: %d timeslices, %.1f ms of waiting before each"):format(
        thread.tid, thread.timeslices, thread.wait_time_ns / thread.timeslices / 1e6))
    end
  end
end

return function(name, slice_ms)
  return k.scenario {
    name = name,
    description = ("sleepers beside spinners, time slices of %d ms"):format(slice_ms),
    topology = "1n1l2c1t",
    duration = "6s",

    scheduler = k.scheduler {
      name = "scx_ktstr", path = "scx_ktstr", args = { "--slice-ns", ("%d000000"):format(slice_ms) },
    },

    cgroups = {
      batch = { works = { k.work.cpu_spin { workers = 4, comm = "spinner" } } },
      web   = { works = { k.work.bursty { workers = 4, comm = "sleeper", burst = "2ms", sleep = "8ms" } } },
    },

    steps = {
      k.step { hold = "5s" },
      k.step { k.op.ctprof "end", hold = k.hold.rest },
    },

    watchdog_timeout = "20s",
    expect = { max_gap = "10s", max_spread_pct = 100 },
    check = print_waits,
  }
end
