#include "engine/guest/expedited_grace_periods.h"

#include "engine/guest/kernel_file.h"
#include "engine/guest/urgency.h"

namespace ktstr::engine::guest {
namespace {

constexpr char kSwitch[] = "/sys/kernel/rcu_expedited";
constexpr std::size_t kMostSwitchBytes = 16;

}  // namespace

ExpeditedGracePeriods::ExpeditedGracePeriods() {
  if (!is_urgency_due()) return;
  const auto former = read_file(kSwitch, kMostSwitchBytes);
  if (former && write_control(kSwitch, "1")) former_ = former->text;
}

ExpeditedGracePeriods::~ExpeditedGracePeriods() {
  if (!former_.empty()) static_cast<void>(write_control(kSwitch, former_));
}

}  // namespace ktstr::engine::guest
