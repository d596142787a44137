#include "bpf/scx_ktstr/contents.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>
#include <vector>

#include "bpf/fixture_contents.h"
#include "engine/base/fd.h"

namespace ktstr::bpf {
namespace {

/// A map that is being filled. After the first failure nothing more is done.
class Filler {
 public:
  Filler(bpf_object* object, const char* name)
      : name_(name), fd_(bpf_object__find_map_fd_by_name(object, name)) {
    if (fd_ < 0) failure_ = ENOENT;
  }

  template <class Key, class Value>
  Filler& put(const Key& key, const Value& value) {
    return update(&key, &value);
  }
  template <class Value>
  Filler& push(const Value& value) {
    return update(nullptr, &value);
  }
  Filler& update(const void* key, const void* value) {
    if (!failure_ && bpf_map_update_elem(fd_, key, value, BPF_ANY) != 0) failure_ = errno;
    return *this;
  }

  [[nodiscard]] Status done() const {
    if (!failure_) return ok();
    return system_error(std::string("fill map ") + name_, failure_);
  }

 private:
  const char* name_;
  int fd_;
  int failure_ = 0;
};

Status fill_records(bpf_object* object, const char* name, std::uint32_t first_key, std::uint32_t count) {
  Filler map(object, name);
  for (std::uint32_t i = 0; i < count; ++i) map.put(first_key + i, fixture_record_at(i));
  return map.done();
}

Status fill_percpu(bpf_object* object, const char* name, std::uint32_t first_key) {
  Filler map(object, name);
  std::vector<std::uint64_t> values(static_cast<std::size_t>(libbpf_num_possible_cpus()));
  for (std::uint32_t i = 0; i < FIXTURE_PERCPU_ENTRIES; ++i) {
    for (std::size_t cpu = 0; cpu < values.size(); ++cpu)
      values[cpu] = FIXTURE_PERCPU_BASE + i * FIXTURE_PERCPU_STRIDE + cpu;
    const std::uint32_t key = first_key + i;
    map.update(&key, values.data());
  }
  return map.done();
}

Status fill_sequence(bpf_object* object, const char* name, std::uint32_t first) {
  Filler map(object, name);
  for (std::uint32_t i = 0; i < FIXTURE_QUEUE_ENTRIES; ++i) map.push(first + i);
  return map.done();
}

Status fill_maps_of_maps(bpf_object* object) {
  Filler outer(object, "hash_of_maps");
  const char* const names[FIXTURE_INNER_MAPS] = {"inner_0", "inner_1"};
  for (std::uint32_t i = 0; i < FIXTURE_INNER_MAPS; ++i) {
    Filler inner(object, names[i]);
    for (std::uint32_t j = 0; j < FIXTURE_INNER_ENTRIES; ++j)
      inner.put(j, std::uint64_t{FIXTURE_INNER_BASE + i * FIXTURE_INNER_STRIDE + j});
    KTSTR_TRY(inner.done());
    outer.put(FIXTURE_KEY_BASE + i, bpf_object__find_map_fd_by_name(object, names[i]));
  }
  return outer.done();
}

Status fill_lpm_trie(bpf_object* object) {
  Filler map(object, "lpm_trie");
  const std::uint32_t address = htonl(FIXTURE_LPM_ADDRESS);
  for (std::uint32_t i = 0; i < FIXTURE_LPM_ENTRIES; ++i) {
    fixture_lpm_key key{.prefixlen = FIXTURE_LPM_PREFIX + 8 * i, .address = {}};
    std::memcpy(key.address, &address, sizeof(address));
    map.put(key, std::uint64_t{i});
  }
  return map.done();
}

Status fill_perf_events(bpf_object* object) {
  perf_event_attr attributes{};
  attributes.size = sizeof(attributes);
  attributes.type = PERF_TYPE_SOFTWARE;
  attributes.config = PERF_COUNT_SW_BPF_OUTPUT;
  const Fd event(
      static_cast<int>(::syscall(SYS_perf_event_open, &attributes, -1, 0, -1, PERF_FLAG_FD_CLOEXEC)));
  if (!event) return system_error("open a perf event");
  return Filler(object, "perf_events").put(0u, event.get()).done();
}

Status fill_cgroup_array(bpf_object* object) {
  const Fd cgroup(::open("/sys/fs/cgroup", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!cgroup) return system_error("open /sys/fs/cgroup");
  return Filler(object, "cgroup_array").put(0u, cgroup.get()).done();
}

Status fill_user_ring(bpf_object* object) {
  user_ring_buffer* ring =
      user_ring_buffer__new(bpf_object__find_map_fd_by_name(object, "user_ring"), nullptr);
  if (!ring) return system_error("map the ring buffer user_ring");
  for (std::uint32_t i = 0; i < FIXTURE_USER_RING_RECORDS; ++i) {
    auto* record =
        static_cast<fixture_ring_record*>(user_ring_buffer__reserve(ring, sizeof(fixture_ring_record)));
    if (!record) break;  // cannot happen: the ring is far larger than its records
    *record = {.sequence = i, .magic = FIXTURE_RING_MAGIC, .cube = std::uint64_t{i} * i * i};
    user_ring_buffer__submit(ring, record);
  }
  user_ring_buffer__free(ring);
  return ok();
}

/// One call for all: an emulated guest takes seconds for a call each.
Status fill_large_hash(bpf_object* object, std::uint32_t entries) {
  if (entries == 0) return ok();
  std::vector<std::uint64_t> keys(entries);
  std::vector<fixture_row> rows(entries);
  for (std::uint32_t i = 0; i < entries; ++i) {
    keys[i] = rows[i].number = i;
    for (std::uint32_t j = 0; j < std::size(rows[i].words); ++j) rows[i].words[j] = std::uint64_t{i} + j;
  }
  const int map = bpf_object__find_map_fd_by_name(object, "large_hash");
  if (bpf_map_update_batch(map, keys.data(), rows.data(), &entries, nullptr) == 0) return ok();
  return system_error("fill map large_hash");
}

Status run_fill_program(bpf_object* object) {
  const int program = bpf_program__fd(bpf_object__find_program_by_name(object, "fill_fixture"));
  KTSTR_TRY(Filler(object, "prog_array").put(1u, program).done());
  LIBBPF_OPTS(bpf_test_run_opts, run);
  if (bpf_prog_test_run_opts(program, &run) != 0) return system_error("run fill_fixture");
  return ok();
}

}  // namespace

Status fill_maps(bpf_object* object, std::uint32_t large_hash_rows) {
  KTSTR_TRY(fill_records(object, "array_one", 0, 1));
  KTSTR_TRY(fill_records(object, "array_many", 0, FIXTURE_ARRAY_ENTRIES));
  KTSTR_TRY(fill_records(object, "hash", FIXTURE_KEY_BASE, FIXTURE_HASH_ENTRIES));
  KTSTR_TRY(fill_records(object, "lru_hash", FIXTURE_KEY_BASE, FIXTURE_LRU_ENTRIES));
  KTSTR_TRY(fill_percpu(object, "percpu_array", 0));
  KTSTR_TRY(fill_percpu(object, "percpu_hash", FIXTURE_KEY_BASE));
  KTSTR_TRY(fill_percpu(object, "lru_percpu_hash", FIXTURE_KEY_BASE));
  KTSTR_TRY(fill_sequence(object, "queue", FIXTURE_QUEUE_BASE));
  KTSTR_TRY(fill_sequence(object, "stack", FIXTURE_QUEUE_BASE));
  KTSTR_TRY(fill_sequence(object, "bloom_filter", FIXTURE_BLOOM_BASE));
  KTSTR_TRY(fill_maps_of_maps(object));
  KTSTR_TRY(fill_lpm_trie(object));
  KTSTR_TRY(fill_perf_events(object));
  KTSTR_TRY(fill_cgroup_array(object));
  KTSTR_TRY(fill_user_ring(object));
  KTSTR_TRY(fill_large_hash(object, large_hash_rows));
  return run_fill_program(object);
}

}  // namespace ktstr::bpf
