#include "vmm/qemu/gdb_watchpoints.h"

#include <cstring>

namespace ktstr::vmm::qemu {

Result<std::unique_ptr<GdbWatchpoints>> GdbWatchpoints::create(Gdbstub& stub, std::size_t cpus) {
  auto hits = KTSTR_TRY(WatchHits::create());
  return std::unique_ptr<GdbWatchpoints>(new GdbWatchpoints(stub, cpus, std::move(hits)));
}

Status GdbWatchpoints::set(std::span<const Watchpoint> watchpoints, Deadline deadline) {
  KTSTR_TRY(check_watchpoints(watchpoints));
  KTSTR_TRY(remove_all(deadline));
  if (auto inserted = insert(watchpoints, deadline); !inserted) {
    KTSTR_TRY(remove_all(deadline));
    return inserted;
  }
  static_cast<void>(stub_.take_watches());  // of those that are watched no more
  hits_->watch(set_, [&](const Watchpoint& watchpoint) { return read(watchpoint, deadline); });
  return ok();
}

Status GdbWatchpoints::insert(std::span<const Watchpoint> watchpoints, Deadline deadline) {
  for (const auto& watchpoint : watchpoints) {
    KTSTR_TRY(stub_.set_watchpoint(watchpoint, true, deadline));
    set_.push_back(watchpoint);
  }
  return ok();
}

Status GdbWatchpoints::remove_all(Deadline deadline) {
  for (; !set_.empty(); set_.pop_back()) KTSTR_TRY(stub_.set_watchpoint(set_.back(), false, deadline));
  hits_->watch({}, {});
  return ok();
}

Status GdbWatchpoints::collect() {
  const auto received = stub_.receive_notices();
  for (const auto& [thread, address] : stub_.take_watches())
    if (thread > 0) hits_->add(thread - 1, KernelVirt(address));  // gdb's numbers begin at 1
  return received;
}

Status GdbWatchpoints::collect_all(Deadline deadline) {
  KTSTR_TRY(collect());
  hits_->add_missed([&](const Watchpoint& watchpoint) { return read(watchpoint, deadline); });
  return ok();
}

std::optional<WatchHit> GdbWatchpoints::take(Deadline deadline) {
  return hits_->take([&](const Watchpoint& watchpoint) { return read(watchpoint, deadline); });
}

/// As the first vCPU has it that maps it: one that is in user space may not map the kernel.
std::optional<std::uint64_t> GdbWatchpoints::read(const Watchpoint& watchpoint, Deadline deadline) const {
  for (std::size_t i = 0; i < cpus_; ++i) {
    const auto bytes = stub_.read_memory(i, watchpoint.address, watchpoint.bytes, deadline);
    if (!bytes || !*bytes) continue;
    std::uint64_t value = 0;
    std::memcpy(&value, (*bytes)->data(), (*bytes)->size());
    return value;
  }
  return std::nullopt;
}

}  // namespace ktstr::vmm::qemu
