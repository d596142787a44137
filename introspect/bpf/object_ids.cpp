#include "introspect/bpf/object_ids.h"

#include <algorithm>

#include "introspect/bpf/object_names.h"

namespace ktstr::introspect {
namespace {

constexpr std::size_t kMaxCgroupName = 255;  // NAME_MAX

}  // namespace

ObjectIds::ObjectIds(const Kernel& kernel, const BpfLayouts& layouts)
    : kernel_(kernel),
      layouts_(layouts),
      cgroup_(resolve_layout<Cgroup>(kernel.btf())),
      node_(resolve_layout<KernfsNode>(kernel.btf())),
      task_(resolve_layout<Task>(kernel.btf())) {}

ObjectName ObjectIds::map(KernelVirt address) const {
  if (!kernel_.translator().plausible_pointer(address)) return {};
  const auto id = layouts_.map.id.read(kernel_, address);
  const auto name = layouts_.map.name.read(kernel_, address);
  return {id, name ? bpf_object_name(*name).value_or("") : ""};
}

ObjectName ObjectIds::program(KernelVirt address) const {
  if (!layouts_.prog || !kernel_.translator().plausible_pointer(address)) return {};
  const auto aux = layouts_.prog->prog.aux.read(kernel_, address);
  if (!aux || !kernel_.translator().plausible_pointer(*aux)) return {};
  const auto id = layouts_.prog->aux.id.read(kernel_, *aux);
  const auto name = layouts_.prog->aux.name.read(kernel_, *aux);
  return {id, name ? bpf_object_name(*name).value_or("") : ""};
}

ObjectName ObjectIds::cgroup(KernelVirt address) const {
  if (!cgroup_ || !node_ || !kernel_.translator().plausible_pointer(address)) return {};
  const auto node = cgroup_->node.read(kernel_, address);
  if (!node || !kernel_.translator().plausible_pointer(*node)) return {};
  const auto name = node_->name.read(kernel_, *node);
  const auto text = name ? kernel_.read_c_string(*name, kMaxCgroupName) : std::nullopt;
  return {node_->id.read(kernel_, *node), text.value_or("")};
}

StorageOwner ObjectIds::task(KernelVirt address) const {
  StorageOwner owner;
  owner.address = address;
  if (!task_ || !kernel_.translator().plausible_pointer(address)) return owner;
  owner.pid = task_->pid.read(kernel_, address);
  owner.tgid = task_->tgid.read(kernel_, address);
  if (const auto comm = task_->comm.read(kernel_, address))
    owner.name = std::string(comm->begin(), std::ranges::find(*comm, '\0'));
  return owner;
}

}  // namespace ktstr::introspect
