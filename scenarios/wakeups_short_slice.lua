-- Compare its capture with that of wakeups_long_slice: see docs/ctprof.md.
return require "lib.late_wakeups"("wakeups_short_slice", 2)
