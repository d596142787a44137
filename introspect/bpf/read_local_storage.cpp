// TASK_STORAGE, CGRP_STORAGE, INODE_STORAGE and SK_STORAGE (kernel/bpf/bpf_local_storage.c).
#include <algorithm>

#include "introspect/bpf/object_names.h"
#include "introspect/bpf/read_map.h"
#include "introspect/walk/list.h"

namespace ktstr::introspect {
namespace {

constexpr std::uint32_t kMaxBucketLog = 16;  // ilog2(2 * CPUs), roughly

class StorageWalk {
 public:
  StorageWalk(const ReadContext& context, const BpfLocalStorageLayout& layout)
      : context_(context), layout_(layout), ids_(context.kernel, context.layouts) {}

  Result<LocalStorageContents> run() && {
    StructBytes map;
    if (!map.capture(context_.kernel, layout_.map, context_.map.address))
      return map_unreadable("struct bpf_local_storage_map");
    const std::uint32_t log = *layout_.map.bucket_log.read(map);
    if (log > kMaxBucketLog) return corrupted("2^" + std::to_string(log) + " buckets");
    const KernelVirt buckets = *layout_.map.buckets.read(map);
    if (!context_.plausible(buckets)) return corrupted("the buckets are at no kernel address");
    contents_.entries = MapEntries(0, context_.map.value_size);
    cap_ = std::min<std::size_t>(context_.limits.hash_entries,
                                 contents_.entries.capacity_for(context_.limits.bytes));
    element_.resize(layout_.element.data.offset() + context_.map.value_size);
    for (std::uint64_t i = 0; i < std::uint64_t{1} << log && !contents_.marks.truncated; ++i)
      walk_bucket(buckets + i * layout_.bucket.size() + layout_.bucket.first.offset());
    return std::move(contents_);
  }

 private:
  void walk_bucket(KernelVirt head) {
    const std::size_t room = cap_ - contents_.entries.size();
    const auto nodes = walk_hlist(context_.kernel.translator(), head, room);
    nodes_ += nodes.items.size();
    if (nodes_ > 2 * cap_) return contents_.marks.cut("more nodes than the cap");
    for (const KernelVirt node : nodes.items)
      if (!take(node - layout_.element.next.offset())) return;
    if (nodes.end == WalkEnd::kTruncated) contents_.marks.cut("more entries than the cap");
    if (nodes.end == WalkEnd::kUnreadable) contents_.marks.missed(nodes.reason);
    if (nodes.end == WalkEnd::kCorrupt) contents_.marks.refused(nodes.reason);
  }

  /// False when the element is not of this map: whatever its chain goes on with is not of this bucket either.
  bool take(KernelVirt element) {
    if (!context_.kernel.read_bytes(element, element_)) {
      contents_.marks.missed("an element in memory that can't be read");
      return true;
    }
    if (field(layout_.element.map) != context_.map.address) {
      contents_.marks.refused("an element of another map");
      return false;
    }
    const auto target = contents_.entries.append();
    std::memcpy(target.data(), element_.data() + layout_.element.data.offset(), target.size());
    contents_.owners.push_back(owner_of(field(layout_.element.storage)));
    return true;
  }

  [[nodiscard]] StorageOwner owner_of(KernelVirt storage) const {
    const auto owner = context_.plausible(storage) ? layout_.storage.owner.read(context_.kernel, storage)
                                                   : std::optional<KernelVirt>();
    StorageOwner result;
    if (!owner) return result;
    if (context_.map.type == map_type::kTaskStorage) return ids_.task(*owner);
    result.address = *owner;
    if (context_.map.type == map_type::kCgrpStorage) {
      ObjectName cgroup = ids_.cgroup(*owner);
      result.cgroup_id = cgroup.id;
      result.name = std::move(cgroup.name);
    }
    return result;
  }

  template <class T>
  [[nodiscard]] T field(const Field<T>& member) const {
    T value;
    std::memcpy(&value, element_.data() + member.offset(), sizeof(T));
    return value;
  }

  const ReadContext& context_;
  const BpfLocalStorageLayout& layout_;
  ObjectIds ids_;
  std::size_t cap_ = 0;
  std::size_t nodes_ = 0;  ///< in all chains, elements of other maps included
  std::vector<std::byte> element_;
  LocalStorageContents contents_;
};

}  // namespace

Result<LocalStorageContents> read_local_storage(const ReadContext& context) {
  const BpfLocalStorageLayout layout = KTSTR_TRY(context.layouts.local_storage);
  KTSTR_TRY(check_entry_size(context));
  return StorageWalk(context, layout).run();
}

}  // namespace ktstr::introspect
