// policy_churn: spins and cycles through the scheduling policies that it may use: normal, batch, idle, and
// where kernel and rights allow ext, fifo and rr. Work unit: a loop turn. Iteration: the turns under one
// policy.
#include "engine/guest/placement.h"
#include "engine/guest/works/works.h"

#include <vector>

namespace ktstr::engine::guest {
namespace {

std::vector<Policy> usable_policies() {
  std::vector<Policy> usable;
  for (const Policy& policy : {Policy(FifoPolicy{1}), Policy(RrPolicy{1}), Policy(ExtPolicy{}),
                               Policy(BatchPolicy{}), Policy(IdlePolicy{}), Policy(NormalPolicy{})})
    if (set_policy(0, policy, 0)) usable.push_back(policy);
  return usable;
}

}  // namespace

Status run(const PolicyChurn& work, WorkContext context) {
  const auto policies = usable_policies();
  if (policies.empty()) return Error{ErrorCode::kIo, "policy_churn: no policy may be used"};
  for (std::size_t change = 0; !stopping(); ++change) {
    KTSTR_TRY(set_policy(0, policies[change % policies.size()], 0));
    spin(work.iterations);
    context.recorder.iteration(units_of(work.iterations));
  }
  return ok();
}

}  // namespace ktstr::engine::guest
