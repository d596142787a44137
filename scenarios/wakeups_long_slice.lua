-- A regression to be found: the same as wakeups_short_slice, but whoever wakes waits.
return require "lib.late_wakeups"("wakeups_long_slice", 40)
