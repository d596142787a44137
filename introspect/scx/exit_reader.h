// ScxExitReader: whether and why a scheduler ended, read out of a guest's memory.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "introspect/kernel.h"
#include "introspect/scx/scx_layouts.h"
#include "introspect/scx/scx_state.h"
#include "introspect/walk/xarray.h"

namespace ktstr::introspect {

/// What a cheap look at the root scheduler tells.
struct ScxExitKind {
  KernelVirt sched;
  std::uint32_t kind = 0;  ///< enum scx_exit_kind: 0 while it runs
};

/// A scx_sched that provably exists.
struct LiveScheduler {
  KernelVirt sched;
  bool is_root = false;
};

/// What can be had, and when. From the moment that a scheduler ends until the kernel clears scx_root (a few
/// ms to seconds: the dump and the disabling of every task lie between) it is found through scx_root. From
/// then on it lives as long as its registered struct_ops map refers to it, that is until its loader drops the
/// link or dies: ops->priv in the map leads there, on all kernels. After that the kernel frees it after an
/// RCU grace period; its memory may hold anything then, and nothing is read from it. (The list scx_sched_all
/// of 7.2 is no help: the kernel unlinks a scheduler from it before it clears scx_root.)
///
/// Const use is thread-safe. Pass the Kernel that it was made for, or another guest of the same build, whose
/// debug info must outlive the reader.
class ScxExitReader {
 public:
  /// kNotFound: the kernel has no sched_ext, or not in a shape that is known.
  [[nodiscard]] static Result<ScxExitReader> create(const Kernel& kernel);

  /// The exit kind of the root scheduler, with at most five small reads: cheap enough for every monitor
  /// sample. The kernel's own exit_kind turns to SCX_EXIT_DONE once it disables the scheduler; what it was
  /// before is then taken from the exit information. nullopt while no scheduler is loaded. kUnavailable:
  /// another one was loaded, or it was unloaded, in the meantime; look again.
  [[nodiscard]] Result<std::optional<ScxExitKind>> read_exit_kind(const Kernel& kernel) const;
  /// Whether `kind` means that something went wrong: SCX_EXIT_ERROR or above.
  [[nodiscard]] bool is_error(std::uint32_t kind) const { return kind >= first_error_; }

  /// The root scheduler first, then all others that a struct_ops map refers to, sub-schedulers and dead ones;
  /// 64 at most.
  [[nodiscard]] std::vector<LiveScheduler> live_schedulers(const Kernel& kernel) const;
  /// The struct_ops map that the root scheduler was made of; nullopt: there is none, or it can't be told.
  [[nodiscard]] std::optional<KernelVirt> root_map(const Kernel& kernel) const;
  /// The record of one of them. kOutOfRange: unreadable; kCorrupt: no exit information where it should be.
  [[nodiscard]] Result<ScxExitRecord> read_record(const Kernel& kernel, const LiveScheduler& scheduler) const;
  /// The records of all that have ended. Those that can't be read are left out: they were freed meanwhile.
  [[nodiscard]] std::vector<ScxExitRecord> ended(const Kernel& kernel) const;

 private:
  ScxExitReader() = default;

  [[nodiscard]] std::optional<KernelVirt> scheduler_of_map(const Kernel& kernel, KernelVirt map) const;
  void read_texts(const Kernel& kernel, const StructBytes& info, ScxExitRecord& record) const;
  void read_backtrace(const Kernel& kernel, const StructBytes& info, ScxExitRecord& record) const;

  SchedLayout sched_;
  ExitInfoLayout info_;
  std::optional<StructOpsLayouts> struct_ops_;
  std::optional<XarrayLayout> xarray_;
  KernelVirt root_;                    ///< variable scx_root
  std::optional<KernelVirt> map_idr_;  ///< variable map_idr
  std::vector<BtfEnumerator> kinds_;
  std::uint32_t done_ = 1;
  std::uint32_t first_error_ = 1024;
};

}  // namespace ktstr::introspect
