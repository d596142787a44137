// What a kernel pointer in a map refers to: a program, map, task or cgroup, by the numbers and names that a
// person knows it by.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "introspect/bpf/contents.h"
#include "introspect/bpf/layouts.h"
#include "introspect/kernel.h"

namespace ktstr::introspect {

struct ObjectName {
  std::optional<std::uint64_t> id;
  std::string name;
};

/// Reads ids and names behind pointers. What can't be read is absent.
class ObjectIds {
 public:
  ObjectIds(const Kernel& kernel, const BpfLayouts& layouts) : kernel_(kernel), layouts_(layouts) {}

  [[nodiscard]] ObjectName map(KernelVirt address) const;
  [[nodiscard]] ObjectName program(KernelVirt address) const;
  /// The id is kernfs_node.id, which is what bpf_get_current_cgroup_id() gives, too.
  [[nodiscard]] ObjectName cgroup(KernelVirt address) const;
  /// A task's pid, tgid and comm.
  [[nodiscard]] StorageOwner task(KernelVirt address) const;

 private:
  const Kernel& kernel_;
  const BpfLayouts& layouts_;
};

}  // namespace ktstr::introspect
