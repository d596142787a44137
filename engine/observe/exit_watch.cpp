#include "engine/observe/exit_watch.h"

#include <algorithm>

#include "engine/base/thread.h"

namespace ktstr::engine {

Result<std::unique_ptr<ExitWatch>> ExitWatch::start(const introspect::Kernel& kernel) {
  auto reader = KTSTR_TRY(introspect::ScxExitReader::create(kernel));
  return std::unique_ptr<ExitWatch>(new ExitWatch(kernel, std::move(reader)));
}

ExitWatch::ExitWatch(const introspect::Kernel& kernel, introspect::ScxExitReader reader)
    : kernel_(kernel),
      reader_(std::move(reader)),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

void ExitWatch::run(const std::stop_token& stop) {
  do look();
  while (!stopped_within(stop, kPeriod));
}

/// A root scheduler that runs says so in at most five reads; the maps are searched only when there is none,
/// or it has ended.
void ExitWatch::look() {
  const std::lock_guard lock(mutex_);
  const auto kind = reader_.read_exit_kind(kernel_);
  const bool runs = kind && *kind && (*kind)->kind == 0;
  if (runs) {
    // Its memory may be that of one that was told of and freed since.
    std::erase(told_, (*kind)->sched.value());
    return;
  }
  for (auto& record : reader_.ended(kernel_)) keep(std::move(record));
}

void ExitWatch::keep(introspect::ScxExitRecord record) {
  if (!reader_.is_error(record.kind)) return;
  if (std::find(told_.begin(), told_.end(), record.sched_kva) != told_.end()) return;
  const auto known = std::find_if(records_.begin(), records_.end(),
                                  [&](const auto& other) { return other.sched_kva == record.sched_kva; });
  if (known == records_.end())
    records_.push_back(std::move(record));
  else if (!known->settled)
    *known = std::move(record);
}

std::vector<introspect::ScxExitRecord> ExitWatch::take() {
  look();
  const std::lock_guard lock(mutex_);
  for (const auto& record : records_) told_.push_back(record.sched_kva);
  return std::exchange(records_, {});
}

}  // namespace ktstr::engine
