#include "engine/freeze/scheduler_end.h"

#include <fmt/format.h>

namespace ktstr::engine {

SchedulerEnd SchedulerEndDetector::error(const introspect::ScxExitKind& root) {
  running_.reset();
  told_ = root.sched;
  return {introspect::DumpCause::kSchedulerError, fmt::format("exit_kind turned to {}", root.kind), {}};
}

SchedulerEnd SchedulerEndDetector::vanished(std::string detail) {
  return {introspect::DumpCause::kSchedulerVanished, std::move(detail), {}};
}

std::optional<SchedulerEnd> SchedulerEndDetector::look(const std::optional<introspect::ScxExitKind>& root,
                                                       bool expected) {
  const auto before = running_;
  if (!root) {
    running_.reset();
    told_.reset();
    return before && !expected ? std::optional(vanished("no scheduler is loaded any more")) : std::nullopt;
  }
  if (told_ == root->sched && root->kind != 0) return std::nullopt;
  told_.reset();
  if (is_error_(root->kind)) return error(*root);
  if (root->kind != 0) {
    running_.reset();
    told_ = root->sched;
    return expected ? std::nullopt
                    : std::optional(vanished(fmt::format("exit_kind turned to {}", root->kind)));
  }
  running_ = root->sched;
  if (before && *before != root->sched && !expected) return vanished("another scheduler is in its place");
  return std::nullopt;
}

}  // namespace ktstr::engine
