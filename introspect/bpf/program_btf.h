// The BTF that programs were loaded with, out of guest memory.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "engine/base/result.h"
#include "introspect/bpf/layouts.h"
#include "introspect/bpf/map_list.h"
#include "introspect/btf.h"
#include "introspect/kernel.h"
#include "introspect/read_budget.h"

namespace ktstr::introspect {

/// The types of a map's keys and values. Without `btf` the ids mean nothing: show bytes, and say why.
struct MapTypes {
  std::shared_ptr<const Btf> btf;  ///< null: not to be had
  BtfTypeId key{};                 ///< 0: the program declared none, or one of another size than the keys
  BtfTypeId value{};
  std::string unavailable;  ///< why `btf` is null or a declared type not believed; "" otherwise
};

/// Loads `struct btf` objects and remembers them by address. Safe from several threads. `kernel` and
/// `layouts` must outlive it. An address may be reused once its BTF is freed: make a new cache for each
/// instant looked at, or call forget().
class ProgramBtfCache {
 public:
  /// Larger data is refused: a program's BTF has some 100 KB, the kernel's own 5 MB.
  static constexpr std::uint32_t kMaxBytes = 32U << 20;

  /// `budget`: what all of it may take together; nullptr: as much as there is.
  ProgramBtfCache(const Kernel& kernel, const BpfLayouts& layouts, ReadBudget* budget = nullptr)
      : kernel_(kernel), layouts_(layouts), budget_(budget) {}

  /// The BTF object at `address`: the kernel's own, a program's, or a module's split over the kernel's.
  /// Errors, remembered too: unreadable, too large (for the budget too), damaged, or split over a base that
  /// is not the kernel's.
  [[nodiscard]] Result<std::shared_ptr<const Btf>> load(KernelVirt address);

  /// What the entries of `map` are made of. Ids are never looked up in another BTF than the one that they are
  /// of: for a STRUCT_OPS map that is its value's, for others that of its program. The kernel makes no map
  /// whose types have other sizes than its keys and values: such ids are damaged and given as 0.
  [[nodiscard]] MapTypes types_of(const BpfMapInfo& map);

  void forget();

 private:
  [[nodiscard]] Result<std::shared_ptr<const Btf>> read(KernelVirt address) const;
  [[nodiscard]] Result<bool> is_vmlinux(KernelVirt address) const;

  const Kernel& kernel_;
  const BpfLayouts& layouts_;
  ReadBudget* budget_;
  std::mutex mutex_;
  std::map<KernelVirt, Result<std::shared_ptr<const Btf>>> loaded_;
};

}  // namespace ktstr::introspect
