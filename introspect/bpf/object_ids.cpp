#include "introspect/bpf/object_ids.h"

#include <algorithm>

#include "introspect/bpf/object_names.h"

namespace ktstr::introspect {
namespace {

constexpr std::size_t kMaxCgroupName = 255;  // NAME_MAX

}  // namespace

ObjectName ObjectIds::map(KernelVirt address) const {
  if (!kernel_.plausible_pointer(address)) return {};
  const auto id = layouts_.map.id.read(kernel_, address);
  const auto name = layouts_.map.name.read(kernel_, address);
  return {id, name ? bpf_object_name(*name).value_or("") : ""};
}

ObjectName ObjectIds::program(KernelVirt address) const {
  if (!layouts_.prog || !kernel_.plausible_pointer(address)) return {};
  const auto aux = layouts_.prog->prog.aux.read(kernel_, address);
  if (!aux || !kernel_.plausible_pointer(*aux)) return {};
  const auto id = layouts_.prog->aux.id.read(kernel_, *aux);
  const auto name = layouts_.prog->aux.name.read(kernel_, *aux);
  return {id, name ? bpf_object_name(*name).value_or("") : ""};
}

ObjectName ObjectIds::cgroup(KernelVirt address) const {
  if (!layouts_.owner || !kernel_.plausible_pointer(address)) return {};
  const auto node = layouts_.owner->cgroup.node.read(kernel_, address);
  if (!node || !kernel_.plausible_pointer(*node)) return {};
  const auto name = layouts_.owner->node.name.read(kernel_, *node);
  const auto text = name ? kernel_.read_c_string(*name, kMaxCgroupName) : std::nullopt;
  return {layouts_.owner->node.id.read(kernel_, *node), text.value_or("")};
}

StorageOwner ObjectIds::task(KernelVirt address) const {
  StorageOwner owner;
  owner.address = address;
  if (!layouts_.owner || !kernel_.plausible_pointer(address)) return owner;
  owner.pid = layouts_.owner->task.pid.read(kernel_, address);
  owner.tgid = layouts_.owner->task.tgid.read(kernel_, address);
  if (const auto comm = layouts_.owner->task.comm.read(kernel_, address))
    owner.name = std::string(comm->begin(), std::ranges::find(*comm, '\0'));
  return owner;
}

}  // namespace ktstr::introspect
