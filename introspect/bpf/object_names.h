// Names of BPF objects, and of the enumerators that say what they are; ids and names of what a kernel pointer
// in a map refers to: a program, map, task or cgroup.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "introspect/bpf/contents.h"
#include "introspect/bpf/layouts.h"
#include "introspect/btf.h"
#include "introspect/kernel.h"

namespace ktstr::introspect {

/// The text of a BPF object's name; nullopt for bytes that bpf_obj_name_cpy() lets through for no object.
[[nodiscard]] std::optional<std::string> bpf_object_name(const BpfName& bytes);

/// The names of an enum's values without their common prefix: "HASH" for BPF_MAP_TYPE_HASH.
class EnumNames {
 public:
  EnumNames(const Btf& btf, std::string_view enumeration, std::string_view prefix);

  /// The shortest of several names for one value; nullopt for a value that the enum does not have.
  [[nodiscard]] std::optional<std::string> find(std::int64_t value) const;
  /// The same, or the number.
  [[nodiscard]] std::string name(std::int64_t value) const;
  [[nodiscard]] bool empty() const { return names_.empty(); }

 private:
  std::map<std::int64_t, std::string> names_;
};

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
