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
};

/// One element of an array of more than one. An absent value could not be read.
struct FailureDumpArrayEntry {
  std::uint32_t key = 0;
  std::optional<RenderedValue> value{};
};

/// One element of a per-CPU array, by CPU number. Absent: that CPU's copy could not be read.
struct FailureDumpPercpuEntry {
  std::uint32_t key = 0;
  std::vector<std::optional<RenderedValue>> per_cpu;
};

struct FailureDumpPercpuHashEntry {
  std::optional<RenderedValue> key{};
  std::string key_hex;
  std::vector<std::optional<RenderedValue>> per_cpu;
};

/// One record between consumer and producer.
struct FailureDumpRingbufRecord {
  std::uint64_t position = 0;
  std::uint32_t length = 0;
  bool busy = false;
  bool discarded = false;
  std::string data_hex;
};

/// Positions are bytes since the ring was made. `records` are those not yet consumed.
struct FailureDumpRingbuf {
  std::uint64_t capacity = 0;
  std::uint64_t consumer_pos = 0;
  std::uint64_t producer_pos = 0;
  std::optional<std::uint64_t> pending_pos{};
  std::uint64_t pending_bytes = 0;
  std::vector<FailureDumpRingbufRecord> records;
};

struct FailureDumpStackTraceEntry {
  std::uint32_t bucket_id = 0;
  std::uint32_t nr = 0;
  std::vector<std::uint64_t> pcs;
  std::string data_hex;
};

struct FailureDumpStackTrace {
  std::uint32_t n_buckets = 0;
  std::vector<FailureDumpStackTraceEntry> entries;
  bool truncated = false;
  std::uint32_t buckets_unreadable = 0;
};

/// What a slot refers to. `key_hex` only in maps whose slots have keys.
struct FailureDumpFdSlot {
  std::uint32_t index = 0;
  std::optional<std::uint64_t> id{};
  std::string name;
  std::uint64_t object_kva = 0;
  std::optional<std::string> key_hex{};
};

struct FailureDumpFdArray {
  std::uint32_t populated = 0;
  std::uint32_t scanned = 0;
  std::vector<std::uint32_t> indices;
  bool truncated = false;
  bool indices_truncated = false;
  std::uint32_t unreadable = 0;
  std::vector<FailureDumpFdSlot> slots;
};

struct FailureDumpBloom {
  std::uint64_t bits = 0;
  std::uint64_t bits_set = 0;
  std::uint32_t hash_functions = 0;
  std::uint32_t hash_seed = 0;
};

/// The kernel's side of a registered structure of operations; its members are the map's `value`.
struct FailureDumpStructOps {
  std::uint32_t state = 0;
  std::string state_name;
  std::uint32_t refcount = 0;
  std::optional<RenderedValue> user_value{};
};

struct FailureDumpMap {
  std::string name;
  std::uint64_t map_kva = 0;
  std::uint32_t map_type = 0;
  std::uint32_t value_size = 0;
  std::uint32_t max_entries = 0;
  std::optional<RenderedValue> value{};
  std::vector<FailureDumpEntry> entries;
  std::vector<FailureDumpArrayEntry> array_entries;
  std::vector<FailureDumpPercpuEntry> percpu_entries;
  std::vector<FailureDumpPercpuHashEntry> percpu_hash_entries;
  std::optional<ArenaSnapshot> arena{};
  std::optional<FailureDumpRingbuf> ringbuf{};
  std::optional<FailureDumpStackTrace> stack_trace{};
  std::optional<FailureDumpFdArray> fd_array{};
  std::optional<FailureDumpBloom> bloom{};
  std::optional<FailureDumpStructOps> struct_ops{};
  std::optional<std::string> error{};
  std::uint32_t id = 0;
  std::string type_name;
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

namespace ktstr {
template <>
inline constexpr auto describe<introspect::FailureDumpEntry> = [] {
  using T = introspect::FailureDumpEntry;
  return record<T>("FailureDumpEntry", "one key and its value",
                   field("key", &T::key, "the key by its type, when the type is known"),
                   field("key_hex", &T::key_hex, "the key's bytes"),
                   field("value", &T::value, "the value by its type, when the type is known"),
                   field("value_hex", &T::value_hex, "the value's bytes"),
                   field("payload", &T::payload, "what the value's arena pointer leads to, by its type"));
}();
template <>
inline constexpr auto describe<introspect::FailureDumpArrayEntry> = [] {
  using T = introspect::FailureDumpArrayEntry;
  return record<T>("FailureDumpArrayEntry", "one element of an array", field("key", &T::key, "its index"),
                   field("value", &T::value, "the value; null when it could not be read"));
}();
template <>
inline constexpr auto describe<introspect::FailureDumpPercpuEntry> = [] {
  using T = introspect::FailureDumpPercpuEntry;
  return record<T>("FailureDumpPercpuEntry", "one element of a per-CPU array",
                   field("key", &T::key, "its index"),
                   field("per_cpu", &T::per_cpu, "values by CPU; null for one that could not be read"));
}();
template <>
inline constexpr auto describe<introspect::FailureDumpPercpuHashEntry> = [] {
  using T = introspect::FailureDumpPercpuHashEntry;
  return record<T>("FailureDumpPercpuHashEntry", "one key of a per-CPU hash and its values",
                   field("key", &T::key, "the key by its type, when the type is known"),
                   field("key_hex", &T::key_hex, "the key's bytes"),
                   field("per_cpu", &T::per_cpu, "values by CPU; null for one that could not be read"));
}();
template <>
inline constexpr auto describe<introspect::FailureDumpRingbufRecord> = [] {
  using T = introspect::FailureDumpRingbufRecord;
  return record<T>("FailureDumpRingbufRecord", "one record that was not yet consumed",
                   field("position", &T::position, "where it begins, bytes since the ring was made"),
                   field("length", &T::length, "bytes that the producer asked for"),
                   field("busy", &T::busy, "reserved and not yet committed: the bytes may change"),
                   field("discarded", &T::discarded, "given up by the producer"),
                   field("data_hex", &T::data_hex, "its bytes"));
}();
template <>
inline constexpr auto describe<introspect::FailureDumpRingbuf> = [] {
  using T = introspect::FailureDumpRingbuf;
  return record<T>("FailureDumpRingbuf", "a ring buffer's positions, bytes since it was made",
                   field("capacity", &T::capacity, "size of the data area, bytes"),
                   field("consumer_pos", &T::consumer_pos, "where the reader stands"),
                   field("producer_pos", &T::producer_pos, "the end of the last reservation"),
                   field("pending_pos", &T::pending_pos, "the oldest reservation not yet committed"),
                   field("pending_bytes", &T::pending_bytes, "reserved and not yet consumed, bytes"),
                   field("records", &T::records, "what was not yet consumed, oldest first"));
}();
template <>
inline constexpr auto describe<introspect::FailureDumpStackTraceEntry> = [] {
  using T = introspect::FailureDumpStackTraceEntry;
  return record<T>("FailureDumpStackTraceEntry", "one stack",
                   field("bucket_id", &T::bucket_id, "its id, as bpf_get_stackid() gave it"),
                   field("nr", &T::nr, "frames"),
                   field("pcs", &T::pcs, "addresses, innermost first; empty with build ids"),
                   field("data_hex", &T::data_hex, "the bucket's bytes"));
}();
template <>
inline constexpr auto describe<introspect::FailureDumpStackTrace> = [] {
  using T = introspect::FailureDumpStackTrace;
  return record<T>("FailureDumpStackTrace", "a map of stacks",
                   field("n_buckets", &T::n_buckets, "buckets the map has"),
                   field("entries", &T::entries, "buckets that hold a stack"),
                   field("truncated", &T::truncated, "whether a stack has more frames than are shown"),
                   field("buckets_unreadable", &T::buckets_unreadable, "buckets that could not be read"));
}();
template <>
inline constexpr auto describe<introspect::FailureDumpFdSlot> = [] {
  using T = introspect::FailureDumpFdSlot;
  return record<T>("FailureDumpFdSlot", "what one slot refers to", field("index", &T::index, "its index"),
                   field("id", &T::id, "id of the program, map or cgroup"),
                   field("name", &T::name, "name of the program or map; empty when it has none"),
                   field("object_kva", &T::object_kva, "address of the object"),
                   field("key_hex", &T::key_hex, "the key's bytes, in a hash of maps"));
}();
template <>
inline constexpr auto describe<introspect::FailureDumpBloom> = [] {
  using T = introspect::FailureDumpBloom;
  return record<T>("FailureDumpBloom", "a bloom filter", field("bits", &T::bits, "bits it has"),
                   field("bits_set", &T::bits_set, "bits that are set"),
                   field("hash_functions", &T::hash_functions, "bits that one value sets"),
                   field("hash_seed", &T::hash_seed, "seed of its hash"));
}();
template <>
inline constexpr auto describe<introspect::FailureDumpStructOps> = [] {
  using T = introspect::FailureDumpStructOps;
  return record<T>("FailureDumpStructOps", "the kernel's side of a structure of operations",
                   field("state", &T::state, "enum bpf_struct_ops_state"),
                   field("state_name", &T::state_name, "the same by name: INUSE while it is registered"),
                   field("refcount", &T::refcount, "references"),
                   field("user_value", &T::user_value, "what user space wrote: programs by id"));
}();
template <>
inline constexpr auto describe<introspect::FailureDumpFdArray> = [] {
  using T = introspect::FailureDumpFdArray;
  return record<T>("FailureDumpFdArray", "a map of programs, maps, events, cgroups or sockets",
                   field("populated", &T::populated, "slots in use"),
                   field("scanned", &T::scanned, "slots looked at"),
                   field("indices", &T::indices, "which slots are in use"),
                   field("truncated", &T::truncated, "whether the map has more slots than were looked at"),
                   field("indices_truncated", &T::indices_truncated, "whether `indices` is not all"),
                   field("unreadable", &T::unreadable, "slots that could not be read"),
                   field("slots", &T::slots, "what the slots in use refer to"));
}();
template <>
inline constexpr auto describe<introspect::FailureDumpMap> = [] {
  using T = introspect::FailureDumpMap;
  return record<T>(
      "FailureDumpMap", "one BPF map and its contents",
      field("name", &T::name, "the kernel's name of it (15 bytes at most)"),
      field("map_kva", &T::map_kva, "address of its struct bpf_map: tells maps of one name apart"),
      field("map_type", &T::map_type, "enum bpf_map_type"),
      field("value_size", &T::value_size, "bytes of a value"),
      field("max_entries", &T::max_entries, "entries it was made for"),
      field("value", &T::value, "the value of an array of one: .bss, .data, .rodata"),
      field("entries", &T::entries, "of hashes, local storages, tries and queues"),
      field("array_entries", &T::array_entries, "of arrays of more than one"),
      field("percpu_entries", &T::percpu_entries, "of per-CPU arrays"),
      field("percpu_hash_entries", &T::percpu_hash_entries, "of per-CPU hashes"),
      field("arena", &T::arena, "an arena's pages"),
      field("ringbuf", &T::ringbuf, "positions of a ring buffer"),
      field("stack_trace", &T::stack_trace, "stacks"),
      field("fd_array", &T::fd_array, "slots of a map of kernel objects"),
      field("bloom", &T::bloom, "a bloom filter's bits"),
      field("struct_ops", &T::struct_ops, "state of a structure of operations"),
      field("error", &T::error, "why contents are missing or not all"),
      field("id", &T::id, "the map's id, as bpftool shows it"),
      field("type_name", &T::type_name, "the kernel's name of map_type"));
}();
}  // namespace ktstr
