local k = require "ktstr"

return k.scenario {
  name = "oversubscribed",
  description = "64 workers on 4 CPUs",
  topology = "1n2l2c1t",
  duration = "6s",

  cgroups = {
    left  = { works = { k.work.mixed { workers = 32 } } },
    right = { works = { k.work.mixed { workers = 32 } } },
  },
}
