#include "introspect/machine/cgroup_tree.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "introspect/translator.h"
#include "introspect/walk/list.h"

namespace ktstr::introspect {
namespace {

/// NAME_MAX: kernfs makes no longer names.
constexpr std::size_t kMaxNameBytes = 255;

/// One component of a path, printable whatever its bytes are.
std::string escaped(std::string_view name) {
  std::string text;
  for (const char c : name) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7f && c != '\\')
      text += c;
    else
      text += fmt::format("\\x{:02x}", byte);
  }
  return text;
}

std::size_t depth(const std::string& path) {
  return path == "/" ? 0 : static_cast<std::size_t>(std::ranges::count(path, '/'));
}

}  // namespace

Result<CgroupTree> CgroupTree::create(const Kernel& kernel) {
  CgroupTree tree;
  RootLayout root;
  KTSTR_TRY(resolve_all(kernel.btf(), {&tree.cgroup_, &tree.kernfs_node_, &root}));
  tree.root_ = root.cgrp.address(KTSTR_TRY(kernel.address("cgrp_dfl_root")));
  const auto online = kernel.btf().enumerator("CSS_ONLINE");
  if (!online) return Error{ErrorCode::kNotFound, "no enumerator CSS_ONLINE in the kernel's BTF"};
  tree.online_ = static_cast<std::uint32_t>(*online);
  return tree;
}

Walked<CgroupNode> CgroupTree::walk(const Kernel& kernel) const {
  Walked<CgroupNode> walked;
  walked.items.push_back({root_, "/"});
  std::size_t budget = kMaxCgroups;
  // The items found so far are the queue: breadth first, each looked into once.
  for (std::size_t next = 0; next < walked.items.size(); ++next) {
    const CgroupNode parent = walked.items[next];
    add_children(kernel, parent, budget, walked);
  }
  return walked;
}

void CgroupTree::add_children(const Kernel& kernel, const CgroupNode& parent, std::size_t& budget,
                              Walked<CgroupNode>& walked) const {
  const KernelVirt head = cgroup_.children.address(parent.address);
  const auto children = walk_list(kernel.translator(), head, budget);
  budget -= children.items.size();
  if (!children.complete()) walked.note(children.end, children.reason, children.at);
  if (!children.items.empty() && depth(parent.path) == kMaxCgroupDepth)
    return walked.note(WalkEnd::kTruncated, "cgroups nested deeper than the cap", parent.address);
  for (const KernelVirt sibling : children.items) {
    const KernelVirt address = sibling - cgroup_.sibling.offset();
    if (is_dead(kernel, address)) continue;
    const auto name = name_of(kernel, address);
    if (name)
      walked.items.push_back({address, (parent.path == "/" ? "" : parent.path) + "/" + *name});
    else
      walked.note(WalkEnd::kUnreadable, "a cgroup without a readable name", address);
  }
}

bool CgroupTree::is_dead(const Kernel& kernel, KernelVirt cgroup) const {
  const auto flags = cgroup_.css_flags.read(kernel, cgroup);
  return flags && (*flags & online_) == 0;
}

std::optional<std::string> CgroupTree::name_of(const Kernel& kernel, KernelVirt cgroup) const {
  const auto plausible = [&](KernelVirt pointer, std::uint64_t alignment) {
    return kernel.plausible_pointer(pointer, alignment);
  };
  const auto node = cgroup_.kn.read(kernel, cgroup);
  if (!node || !plausible(*node, 8)) return std::nullopt;
  const auto pointer = kernfs_node_.name.read(kernel, *node);
  if (!pointer || !plausible(*pointer, 1)) return std::nullopt;
  const auto name = kernel.translator().read_c_bytes(*pointer, kMaxNameBytes + 1);
  const bool possible =
      name && !name->empty() && name->size() <= kMaxNameBytes && name->find('/') == std::string::npos;
  return possible ? std::optional(escaped(*name)) : std::nullopt;
}

}  // namespace ktstr::introspect
