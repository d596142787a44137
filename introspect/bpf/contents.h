// What a map holds, as raw bytes: one structure for each family of map types; how much of it is read at most,
// and how whole it was.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "engine/base/address.h"
#include "engine/base/describe.h"

namespace ktstr::introspect {

/// Caps on what one map may cost, whatever sizes the guest claims. Reaching one sets ReadMarks::truncated.
struct MapReadLimits {
  std::uint32_t hash_entries = 65536;     ///< hash tables, local storage, tries
  std::uint32_t array_keys = 65536;       ///< ARRAY, QUEUE, STACK
  std::uint32_t per_cpu_keys = 4096;      ///< PERCPU_ARRAY
  std::uint32_t fd_array_slots = 65536;   ///< slots looked at
  std::uint32_t fd_array_indices = 4096;  ///< populated slots listed
  std::uint32_t stack_buckets = 65536;
  std::uint32_t stack_trace_pcs = 127;  ///< of one trace (PERF_MAX_STACK_DEPTH)
  std::uint32_t ring_records = 1024;
  std::uint64_t bytes = 64U << 20;  ///< of all keys and values of a map together
};

/// What kept a read from being whole. Unreadable is not empty, and corrupt is not shown.
struct ReadMarks {
  bool truncated = false;        ///< a cap was reached: there is more
  std::uint64_t unreadable = 0;  ///< entries, slots or buckets in memory that can't be read
  std::uint64_t corrupt = 0;     ///< entries, slots or buckets that contradict themselves; left out
  std::string reason;            ///< what the first of them was; "" when whole

  [[nodiscard]] bool whole() const { return !truncated && unreadable == 0 && corrupt == 0; }

  void cut(std::string_view why) { truncated = true, keep_first(why); }
  void missed(std::string_view why, std::uint64_t count = 1) { unreadable += count, keep_first(why); }
  void refused(std::string_view why, std::uint64_t count = 1) { corrupt += count, keep_first(why); }

 private:
  void keep_first(std::string_view why) {
    if (reason.empty()) reason = why;
  }
};

/// Entries of one shape: a key of key_size bytes, then one value of value_size bytes for each slot (one, or
/// one per CPU). Spans live as long as the table and are invalidated by appending.
class MapEntries {
 public:
  MapEntries() = default;
  /// A key size of 0: an entry's key is its index, as a u32.
  MapEntries(std::uint32_t key_size, std::uint32_t value_size, std::uint32_t slots = 1);

  [[nodiscard]] std::size_t size() const { return count_; }
  [[nodiscard]] bool empty() const { return count_ == 0; }
  [[nodiscard]] std::uint32_t key_size() const { return key_size_; }
  [[nodiscard]] std::uint32_t value_size() const { return value_size_; }
  /// Values of an entry: 1, or nr_cpu_ids of a per-CPU map.
  [[nodiscard]] std::uint32_t slots() const { return slots_; }

  /// Preconditions: entry < size(), slot < slots().
  [[nodiscard]] std::span<const std::byte> key(std::size_t entry) const {
    return std::span(bytes_).subspan(entry * stride_, key_size_);
  }
  /// nullopt: the value can't be read (or `slot` is no possible CPU).
  [[nodiscard]] std::optional<std::span<const std::byte>> value(std::size_t entry,
                                                                std::size_t slot = 0) const {
    if (!absent_.empty() && absent_[entry * slots_ + slot]) return std::nullopt;
    return std::span(bytes_).subspan(entry * stride_ + value_offset(slot), value_size_);
  }

  // Building a table.

  /// Entries that fit in `bytes` with all that showing each entry and value takes beside its own bytes, at
  /// least one.
  [[nodiscard]] std::size_t capacity_for(std::uint64_t bytes) const;
  /// What all entries take by that count.
  [[nodiscard]] std::uint64_t memory_bytes() const { return count_ * cost(); }
  void reserve(std::size_t entries) { bytes_.reserve(entries * stride_); }
  /// A new entry, zeroed. The span covers key and values and is valid until the next append.
  std::span<std::byte> append();
  [[nodiscard]] std::span<std::byte> slot_bytes(std::size_t entry, std::size_t slot) {
    return std::span(bytes_).subspan(entry * stride_ + value_offset(slot), value_size_);
  }
  [[nodiscard]] std::span<std::byte> key_bytes(std::size_t entry) {
    return std::span(bytes_).subspan(entry * stride_, key_size_);
  }
  void mark_absent(std::size_t entry, std::size_t slot);
  /// Drops the entries from `entries` on.
  void cut(std::size_t entries);

 private:
  static constexpr std::uint64_t kEntryBytes = 32;  ///< beside its key and values
  static constexpr std::uint64_t kValueBytes = 32;
  [[nodiscard]] std::uint64_t cost() const { return stride_ + kEntryBytes + kValueBytes * slots_; }
  [[nodiscard]] std::size_t value_offset(std::size_t slot) const { return key_size_ + slot * value_size_; }

  std::uint32_t key_size_ = 0;
  std::uint32_t value_size_ = 0;
  std::uint32_t slots_ = 1;
  std::size_t stride_ = 0;
  std::size_t count_ = 0;
  std::vector<std::byte> bytes_;
  std::vector<bool> absent_;  ///< by entry * slots + slot; empty while every value was read
};

/// ARRAY, HASH, LRU_HASH, PERCPU_*, LPM_TRIE, QUEUE, STACK. An array's keys are its entries' indices (key
/// size 0 in the table). A trie's keys are struct bpf_lpm_trie_key. A queue's first entry is the next to be
/// popped, and so is a stack's.
struct ValueContents {
  MapEntries entries;
  ReadMarks marks;
};

/// To whom an entry of a local storage belongs.
struct StorageOwner {
  KernelVirt address;                      ///< struct task_struct, cgroup, inode or sock
  std::optional<std::int32_t> pid;         ///< of a task
  std::optional<std::int32_t> tgid;        ///< of a task
  std::optional<std::uint64_t> cgroup_id;  ///< of a cgroup (kernfs_node.id)
  std::string name;                        ///< a task's comm, a cgroup's directory; "" when unreadable
};

/// TASK_STORAGE, CGRP_STORAGE, INODE_STORAGE, SK_STORAGE.
struct LocalStorageContents {
  MapEntries entries;                ///< key size 0
  std::vector<StorageOwner> owners;  ///< by entry
  ReadMarks marks;
};

/// A ring buffer's positions: bytes since the map was made, which only ever grow.
struct RingbufPositions {
  std::uint64_t capacity = 0;
  std::uint64_t consumer_pos = 0;
  std::uint64_t producer_pos = 0;
  std::optional<std::uint64_t> pending_pos;
  std::uint64_t pending_bytes = 0;

  static consteval auto describe() {
    using T = RingbufPositions;
    return record(
        "how far a ring buffer's consumer and producer are", field<&T::capacity>("bytes of the data area"),
        field<&T::consumer_pos>("byte position of the next record to be consumed"),
        field<&T::producer_pos>("byte position after the last record reserved"),
        field<&T::pending_pos>("byte position of the oldest record not yet committed; null: unknown"),
        field<&T::pending_bytes>("producer_pos - consumer_pos, modulo 2^64"));
  }
};

/// One record between consumer and producer.
struct RingbufRecord {
  std::uint64_t position = 0;
  std::uint32_t length = 0;  ///< as the producer declared it
  bool busy = false;         ///< reserved, not committed: the bytes are still being written
  bool discarded = false;
  std::vector<std::byte> bytes;
};

/// RINGBUF and USER_RINGBUF.
struct RingbufContents {
  RingbufPositions positions;
  std::vector<RingbufRecord> records;  ///< oldest first
  ReadMarks marks;
};

struct StackTraceBucket {
  std::uint32_t bucket_id = 0;  ///< what bpf_get_stackid() returned
  std::uint32_t nr = 0;         ///< frames
  std::uint32_t hash = 0;
  std::vector<std::uint64_t> pcs;  ///< empty with BPF_F_STACK_BUILD_ID
  std::vector<std::byte> data;     ///< the frames as they are stored

  [[nodiscard]] std::uint64_t memory_bytes() const {
    return sizeof(*this) + pcs.size() * sizeof(pcs[0]) + data.size();
  }
};

/// STACK_TRACE. Unreadable counts buckets.
struct StackTraceContents {
  std::uint32_t n_buckets = 0;
  std::vector<StackTraceBucket> buckets;  ///< the populated ones, ascending
  ReadMarks marks;
};

/// What a slot of an array of objects refers to.
struct FdSlot {
  std::uint32_t index = 0;          ///< of an array; of a HASH_OF_MAPS: the entry's number in `keys`
  KernelVirt object;                ///< struct bpf_prog, bpf_map, bpf_event_entry or cgroup
  std::optional<std::uint64_t> id;  ///< of the program, map or cgroup; absent when unreadable or without one
  std::string name;                 ///< of the program or map; "" when unreadable or without one
};

/// PROG_ARRAY, PERF_EVENT_ARRAY, CGROUP_ARRAY, ARRAY_OF_MAPS, HASH_OF_MAPS.
struct FdArrayContents {
  std::uint32_t populated = 0;
  std::uint32_t scanned = 0;
  std::vector<FdSlot> slots;       ///< populated ones, at most MapReadLimits::fd_array_indices
  bool indices_truncated = false;  ///< populated > slots.size()
  MapEntries keys;                 ///< of a HASH_OF_MAPS: value size 0
  ReadMarks marks;                 ///< truncated: scanned < max_entries
};

/// BLOOM_FILTER.
struct BloomContents {
  std::uint64_t bits = 0;  ///< a power of two
  std::uint32_t hash_seed = 0;
  std::uint32_t hash_functions = 0;
  std::uint64_t bits_set = 0;        ///< in what was read
  std::vector<std::uint64_t> words;  ///< bit n is bit n % 64 of word n / 64
  ReadMarks marks;
};

/// STRUCT_OPS. The values are of the map's value type (bpf_struct_ops_NAME) in the BTF at `value_btf`.
struct StructOpsContents {
  KernelVirt value_btf;  ///< struct btf that btf_vmlinux_value_type_id is a number in; may be vmlinux's
  std::uint32_t state = 0;
  std::string state_name;  ///< "INUSE": from enum bpf_struct_ops_state, without its prefix
  std::uint32_t refcount = 0;
  KernelVirt data_address;              ///< of the kernel's copy of the operations
  std::vector<std::byte> kernel_value;  ///< kvalue: function members are trampoline addresses
  /// What a look-up of the map gives: function members are program ids, the head says the state and how many
  /// users in the kernel there are. Empty when unreadable.
  std::vector<std::byte> user_value;
  ReadMarks marks;
};

/// Pages of an arena, counted from its first.
struct ArenaPageRange {
  std::uint64_t first = 0;
  std::uint64_t count = 0;
  friend bool operator==(const ArenaPageRange&, const ArenaPageRange&) = default;
};

/// ARENA: where it is; its pages are for the arena's reader. The kernel sees a program's arena pointer p at
/// kern_vm_start + (p & 0xffffffff).
struct ArenaContents {
  UserVirt user_vm_start;  ///< the arena's first address as programs and user space see it
  UserVirt user_vm_end;
  KernelVirt kern_vm;                     ///< struct vm_struct of the kernel's mapping
  KernelVirt kern_vm_area;                ///< where that mapping begins, its guard included
  std::uint64_t kern_vm_size = 0;         ///< bytes of it, guards included
  KernelVirt kern_vm_start;               ///< what the low 32 bits of a pointer are added to
  std::optional<std::uint64_t> nr_pages;  ///< allocated pages, where the kernel counts them
  std::optional<GuestPhys> scratch_page;  ///< stands in for pages that were touched without being allocated
  /// Which pages are in use; absent where only the page tables tell.
  std::optional<std::vector<ArenaPageRange>> allocated;
};

using MapContents = std::variant<ValueContents, LocalStorageContents, RingbufContents, StackTraceContents,
                                 FdArrayContents, BloomContents, StructOpsContents, ArenaContents>;

/// What they take here, in bytes, roughly.
[[nodiscard]] std::uint64_t memory_bytes(const MapContents& contents);

}  // namespace ktstr::introspect
