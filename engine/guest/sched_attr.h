// sched_setattr(2)'s argument; glibc 2.36 has no declaration of it.
#pragma once

#include <cstdint>

namespace ktstr::engine::guest {

/// struct sched_attr, include/uapi/linux/sched/types.h, first version.
struct SchedAttr {
  std::uint32_t size = 48;
  std::uint32_t policy = 0;
  std::uint64_t flags = 0;
  std::int32_t nice = 0;
  std::uint32_t priority = 0;
  std::uint64_t runtime_ns = 0;
  std::uint64_t deadline_ns = 0;
  std::uint64_t period_ns = 0;
};
static_assert(sizeof(SchedAttr) == 48);

/// SCHED_EXT, include/uapi/linux/sched.h of kernels with sched_ext.
inline constexpr std::uint32_t kSchedExt = 7;

}  // namespace ktstr::engine::guest
