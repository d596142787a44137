// affinity_churn: spins and pins itself to one random allowed CPU after another. Which CPUs are allowed is
// asked anew every 256 changes, and when a change fails because the cpuset changed. Work unit: a loop turn.
// Iteration: the turns on one CPU.
#include "engine/guest/placement.h"
#include "engine/guest/works/works.h"

#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace ktstr::engine::guest {
namespace {

constexpr std::uint32_t kRefreshEvery = 256;

/// The CPUs of the cpuset: what is left of a mask of all.
Result<std::vector<std::size_t>> allowed_cpus() {
  KTSTR_TRY(set_affinity(0, {}));
  CpuBits mask{};
  if (::syscall(SYS_sched_getaffinity, 0, sizeof mask, mask) < 0) return system_error("sched_getaffinity");
  return to_set(mask).to_vector();
}

}  // namespace

Status run(const AffinityChurn& work, WorkContext context) {
  std::vector<std::size_t> cpus;
  for (std::uint32_t change = 0; !stopping(); ++change) {
    if (change % kRefreshEvery == 0) cpus = KTSTR_TRY(allowed_cpus());
    const auto cpu = cpus[context.recorder.random().below(cpus.size())];
    if (!set_affinity(0, {cpu})) change = kRefreshEvery - 1;
    spin(work.iterations);
    context.recorder.iteration(units_of(work.iterations));
  }
  return ok();
}

}  // namespace ktstr::engine::guest
