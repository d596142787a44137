#include "introspect/bpf/object_names.h"

#include <algorithm>

namespace ktstr::introspect {
namespace {

bool allowed(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.';
}

constexpr std::size_t kMaxCgroupName = 255;  // NAME_MAX

}  // namespace

std::optional<std::string> bpf_object_name(const BpfName& bytes) {
  const auto end = std::ranges::find(bytes, '\0');
  if (!std::all_of(bytes.begin(), end, allowed)) return std::nullopt;
  return std::string(bytes.begin(), end);
}

EnumNames::EnumNames(const Btf& btf, std::string_view enumeration, std::string_view prefix) {
  for (const BtfEnumerator& enumerator : btf.enumerators(enumeration)) {
    if (!enumerator.name.starts_with(prefix)) continue;
    const std::string name(enumerator.name.substr(prefix.size()));
    const auto [place, is_new] = names_.try_emplace(enumerator.value, name);
    if (!is_new && name.size() < place->second.size()) place->second = name;
  }
}

std::optional<std::string> EnumNames::find(std::int64_t value) const {
  const auto found = names_.find(value);
  return found == names_.end() ? std::nullopt : std::optional(found->second);
}

std::string EnumNames::name(std::int64_t value) const {
  return find(value).value_or(std::to_string(value));
}

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
