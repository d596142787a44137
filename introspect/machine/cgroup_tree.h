// The cgroup v2 hierarchy: cgrp_dfl_root, its children and their names (include/linux/cgroup-defs.h).
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "introspect/kernel.h"
#include "introspect/layout.h"
#include "introspect/walk/outcome.h"

namespace ktstr::introspect {

/// A guest of ours has some tens of cgroups; a walk over more, removed ones included, ends as kTruncated.
inline constexpr std::size_t kMaxCgroups = 4096;
inline constexpr std::size_t kMaxCgroupDepth = 64;

struct CgroupLayout : LayoutOf<"cgroup"> {
  Embedded self{*this, {"self"}};
  Embedded children{*this, {"self.children"}};
  Embedded sibling{*this, {"self.sibling"}};
  Field<std::uint32_t> css_flags{*this, {"self.flags"}};
  Field<KernelVirt> kn{*this, {"kn"}};
  OptionalField<KernelVirt> psi{*this, {"psi"}};  // CONFIG_PSI
};

/// One cgroup of the default hierarchy.
struct CgroupNode {
  KernelVirt address;  ///< of the struct cgroup
  std::string path;    ///< "/" for the root, "/a/b"; bytes that are not printable ASCII as \xNN
};

class CgroupTree {
 public:
  /// Error: which symbol or member this kernel lacks.
  [[nodiscard]] static Result<CgroupTree> create(const Kernel& kernel);

  /// All cgroups, the root first, parents before their children, children in order of creation; removed ones
  /// that something in the kernel still holds are left out (cgroup_is_dead()). A branch that
  /// can't be followed is left out and the walk's end and reason are those of the first such branch.
  [[nodiscard]] Walked<CgroupNode> walk(const Kernel& kernel) const;

  [[nodiscard]] const CgroupLayout& layout() const { return cgroup_; }

 private:
  struct RootLayout : LayoutOf<"cgroup_root"> {
    Embedded cgrp{*this, {"cgrp"}};
  };
  struct KernfsNodeLayout : LayoutOf<"kernfs_node"> {
    Field<KernelVirt> name{*this, {"name"}};
  };

  [[nodiscard]] bool is_dead(const Kernel& kernel, KernelVirt cgroup) const;
  void add_children(const Kernel& kernel, const CgroupNode& parent, std::size_t& budget,
                    Walked<CgroupNode>& walked) const;
  [[nodiscard]] std::optional<std::string> name_of(const Kernel& kernel, KernelVirt cgroup) const;

  CgroupLayout cgroup_;
  KernfsNodeLayout kernfs_node_;
  KernelVirt root_;
  std::uint32_t online_ = 0;  ///< CSS_ONLINE
};

}  // namespace ktstr::introspect
