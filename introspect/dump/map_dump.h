// FailureDumpMap: one BPF map as a dump shows it. Exactly one of the content members is filled, by the map's
// type; `error` says why contents are missing or not all.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/describe.h"
#include "introspect/arena/arena_snapshot.h"
#include "introspect/dump/sparse.h"
#include "introspect/render/rendered_value_json.h"

namespace ktstr::introspect {

/// One pair of a hash-like map. Without a type, `key` and `value` are absent and the bytes speak.
struct FailureDumpEntry {
  std::optional<RenderedValue> key{};
  std::string key_hex;
  std::optional<RenderedValue> value{};
  std::string value_hex;
  std::optional<RenderedValue> payload{};

  static consteval auto describe() {
    using T = FailureDumpEntry;
    return record("one key and its value", field<&T::key>("the key by its type, when the type is known"),
                  field<&T::key_hex>("the key's bytes"),
                  field<&T::value>("the value by its type, when the type is known"),
                  field<&T::value_hex>("the value's bytes"),
                  field<&T::payload>("what the value's arena pointer leads to, by its type"));
  }
};

struct FailureDumpArrayEntry {
  std::uint32_t key = 0;
  std::optional<RenderedValue> value{};

  static consteval auto describe() {
    using T = FailureDumpArrayEntry;
    return record("one element of an array", field<&T::key>("its index"),
                  field<&T::value>("the value; null when it could not be read"));
  }
};

struct FailureDumpPercpuEntry {
  std::uint32_t key = 0;
  std::vector<std::optional<RenderedValue>> per_cpu;

  static consteval auto describe() {
    using T = FailureDumpPercpuEntry;
    return record("one element of a per-CPU array", field<&T::key>("its index"),
                  field<&T::per_cpu>("values by CPU; null for one that could not be read"));
  }
};

struct FailureDumpPercpuHashEntry {
  std::optional<RenderedValue> key{};
  std::string key_hex;
  std::vector<std::optional<RenderedValue>> per_cpu;

  static consteval auto describe() {
    using T = FailureDumpPercpuHashEntry;
    return record("one key of a per-CPU hash and its values",
                  field<&T::key>("the key by its type, when the type is known"),
                  field<&T::key_hex>("the key's bytes"),
                  field<&T::per_cpu>("values by CPU; null for one that could not be read"));
  }
};

struct FailureDumpRingbufRecord {
  std::uint64_t position = 0;
  std::uint32_t length = 0;
  bool busy = false;
  bool discarded = false;
  std::string data_hex;

  static consteval auto describe() {
    using T = FailureDumpRingbufRecord;
    return record("one record that was not yet consumed",
                  field<&T::position>("where it begins, bytes since the ring was made"),
                  field<&T::length>("bytes that the producer asked for"),
                  field<&T::busy>("reserved and not yet committed: the bytes may change"),
                  field<&T::discarded>("given up by the producer"), field<&T::data_hex>("its bytes"));
  }
};

struct FailureDumpRingbuf {
  std::uint64_t capacity = 0;
  std::uint64_t consumer_pos = 0;
  std::uint64_t producer_pos = 0;
  std::optional<std::uint64_t> pending_pos{};
  std::uint64_t pending_bytes = 0;
  std::vector<FailureDumpRingbufRecord> records;

  static consteval auto describe() {
    using T = FailureDumpRingbuf;
    return record("a ring buffer's positions, bytes since it was made",
                  field<&T::capacity>("size of the data area, bytes"),
                  field<&T::consumer_pos>("where the reader stands"),
                  field<&T::producer_pos>("the end of the last reservation"),
                  field<&T::pending_pos>("the oldest reservation not yet committed"),
                  field<&T::pending_bytes>("reserved and not yet consumed, bytes"),
                  field<&T::records>("what was not yet consumed, oldest first"));
  }
};

struct FailureDumpStackTraceEntry {
  std::uint32_t bucket_id = 0;
  std::uint32_t nr = 0;
  std::vector<std::uint64_t> pcs;
  std::string data_hex;

  static consteval auto describe() {
    using T = FailureDumpStackTraceEntry;
    return record("one stack", field<&T::bucket_id>("its id, as bpf_get_stackid() gave it"),
                  field<&T::nr>("frames"), field<&T::pcs>("addresses, innermost first; empty with build ids"),
                  field<&T::data_hex>("the bucket's bytes"));
  }
};

struct FailureDumpStackTrace {
  std::uint32_t n_buckets = 0;
  std::vector<FailureDumpStackTraceEntry> entries;
  bool truncated = false;
  std::uint32_t buckets_unreadable = 0;

  static consteval auto describe() {
    using T = FailureDumpStackTrace;
    return record("a map of stacks", field<&T::n_buckets>("buckets the map has"),
                  field<&T::entries>("buckets that hold a stack"),
                  field<&T::truncated>("whether a stack has more frames than are shown"),
                  field<&T::buckets_unreadable>("buckets that could not be read"));
  }
};

struct FailureDumpFdSlot {
  std::uint32_t index = 0;
  std::optional<std::uint64_t> id{};
  std::string name;
  std::uint64_t object_kva = 0;
  std::optional<std::string> key_hex{};

  static consteval auto describe() {
    using T = FailureDumpFdSlot;
    return record("what one slot refers to", field<&T::index>("its index"),
                  field<&T::id>("id of the program, map or cgroup"),
                  field<&T::name>("name of the program or map; empty when it has none"),
                  field<&T::object_kva>("address of the object"),
                  field<&T::key_hex>("the key's bytes, in a hash of maps"));
  }
};

struct FailureDumpFdArray {
  std::uint32_t populated = 0;
  std::uint32_t scanned = 0;
  std::vector<std::uint32_t> indices;
  bool truncated = false;
  bool indices_truncated = false;
  std::uint32_t unreadable = 0;
  std::vector<FailureDumpFdSlot> slots;

  static consteval auto describe() {
    using T = FailureDumpFdArray;
    return record("a map of programs, maps, events, cgroups or sockets", field<&T::populated>("slots in use"),
                  field<&T::scanned>("slots looked at"), field<&T::indices>("which slots are in use"),
                  field<&T::truncated>("whether the map has more slots than were looked at"),
                  field<&T::indices_truncated>("whether `indices` is not all"),
                  field<&T::unreadable>("slots that could not be read"),
                  field<&T::slots>("what the slots in use refer to"));
  }
};

struct FailureDumpBloom {
  std::uint64_t bits = 0;
  std::uint64_t bits_set = 0;
  std::uint32_t hash_functions = 0;
  std::uint32_t hash_seed = 0;

  static consteval auto describe() {
    using T = FailureDumpBloom;
    return record("a bloom filter", field<&T::bits>("bits it has"), field<&T::bits_set>("bits that are set"),
                  field<&T::hash_functions>("bits that one value sets"),
                  field<&T::hash_seed>("seed of its hash"));
  }
};

/// The kernel's side of a registered structure of operations; its members are the map's `value`.
struct FailureDumpStructOps {
  std::uint32_t state = 0;
  std::string state_name;
  std::uint32_t refcount = 0;
  std::optional<RenderedValue> user_value{};

  static consteval auto describe() {
    using T = FailureDumpStructOps;
    return record(
        "the kernel's side of a structure of operations", field<&T::state>("enum bpf_struct_ops_state"),
        field<&T::state_name>("the same by name: INUSE while it is registered"),
        field<&T::refcount>("references"), field<&T::user_value>("what user space wrote: programs by id"));
  }
};

struct FailureDumpMap {
  std::string name;
  std::uint64_t map_kva = 0;
  std::uint32_t map_type = 0;
  std::uint32_t value_size = 0;
  std::uint32_t max_entries = 0;
  std::optional<RenderedValue> value{};
  std::vector<FailureDumpEntry> entries{};
  std::vector<FailureDumpArrayEntry> array_entries{};
  std::vector<FailureDumpPercpuEntry> percpu_entries{};
  std::vector<FailureDumpPercpuHashEntry> percpu_hash_entries{};
  std::optional<ArenaSnapshot> arena{};
  std::optional<FailureDumpRingbuf> ringbuf{};
  std::optional<FailureDumpStackTrace> stack_trace{};
  std::optional<FailureDumpFdArray> fd_array{};
  std::optional<FailureDumpBloom> bloom{};
  std::optional<FailureDumpStructOps> struct_ops{};
  std::optional<std::string> error{};
  std::uint32_t id = 0;
  std::string type_name;

  static consteval auto describe() {
    using T = FailureDumpMap;
    return record(
        "one BPF map and its contents", field<&T::name>("the kernel's name of it (15 bytes at most)"),
        field<&T::map_kva>("address of its struct bpf_map: tells maps of one name apart"),
        field<&T::map_type>("enum bpf_map_type"), field<&T::value_size>("bytes of a value"),
        field<&T::max_entries>("entries it was made for"),
        field<&T::value>("the value of an array of one: .bss, .data, .rodata"),
        field<&T::entries>("of hashes, local storages, tries and queues"),
        field<&T::array_entries>("of arrays of more than one"),
        field<&T::percpu_entries>("of per-CPU arrays"), field<&T::percpu_hash_entries>("of per-CPU hashes"),
        field<&T::arena>("an arena's pages"), field<&T::ringbuf>("positions of a ring buffer"),
        field<&T::stack_trace>("stacks"), field<&T::fd_array>("slots of a map of kernel objects"),
        field<&T::bloom>("a bloom filter's bits"),
        field<&T::struct_ops>("state of a structure of operations"),
        field<&T::error>("why contents are missing or not all"),
        field<&T::id>("the map's id, as bpftool shows it"),
        field<&T::type_name>("the kernel's name of map_type"));
  }
};

// clang-format off
template <> inline constexpr bool is_sparse<FailureDumpEntry> = true;
template <> inline constexpr bool is_sparse<FailureDumpArrayEntry> = true;
template <> inline constexpr bool is_sparse<FailureDumpPercpuHashEntry> = true;
template <> inline constexpr bool is_sparse<FailureDumpRingbuf> = true;
template <> inline constexpr bool is_sparse<FailureDumpStackTraceEntry> = true;
template <> inline constexpr bool is_sparse<FailureDumpFdSlot> = true;
template <> inline constexpr bool is_sparse<FailureDumpFdArray> = true;
template <> inline constexpr bool is_sparse<FailureDumpStructOps> = true;
template <> inline constexpr bool is_sparse<FailureDumpMap> = true;
// clang-format on

}  // namespace ktstr::introspect
