#include "bpf/scx_ktstr/scheduler.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>

#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <optional>
#include <string>

#include "bpf/scx_ktstr/contents.h"
#include "bpf/scx_ktstr/cpu_llcs.h"

extern "C" const std::byte scx_ktstr_object_begin[], scx_ktstr_object_end[];

namespace ktstr::bpf {
namespace {

constexpr const char* kCpus = "/sys/devices/system/cpu";
constexpr const char* kOpsMap = "ktstr_ops";

Error refused(std::string what, int error) {
  return {ErrorCode::kUnavailable, std::move(what) + ": " + std::strerror(error)};
}

/// libbpf's word on what went wrong, the verifier's log included.
int print_warning(libbpf_print_level level, const char* format, va_list arguments) {
  return level == LIBBPF_WARN ? std::vfprintf(stderr, format, arguments) : 0;
}

struct Extent {
  std::uint32_t offset;
  std::uint32_t bytes;
};

/// Where a variable lies in its section.
std::optional<Extent> find_in_section(const btf* types, const char* section, std::string_view variable) {
  const int id = btf__find_by_name_kind(types, section, BTF_KIND_DATASEC);
  if (id < 0) return std::nullopt;
  const btf_type* type = btf__type_by_id(types, static_cast<__u32>(id));
  const btf_var_secinfo* entries = btf_var_secinfos(type);
  for (int i = 0; i < btf_vlen(type); ++i) {
    const btf_type* entry = btf__type_by_id(types, entries[i].type);
    if (variable == btf__name_by_offset(types, entry->name_off))
      return Extent{entries[i].offset, entries[i].size};
  }
  return std::nullopt;
}

/// The map that holds a section's variables: its name ends like the section's.
bpf_map* find_section_map(bpf_object* object, std::string_view section) {
  bpf_map* map = nullptr;
  bpf_object__for_each_map(map, object) {
    if (std::string_view(bpf_map__name(map)).ends_with(section)) return map;
  }
  return nullptr;
}

/// 0: the map is not made.
void size_large_hash(bpf_object* object, std::uint32_t entries) {
  bpf_map* map = bpf_object__find_map_by_name(object, "large_hash");
  bpf_map__set_autocreate(map, entries != 0);
  if (entries != 0) bpf_map__set_max_entries(map, entries);
}

}  // namespace

Status Scheduler::set_variable(std::string_view name, std::span<const std::byte> value) {
  for (const char* section : {".data", ".bss", ".rodata"}) {
    const auto extent = find_in_section(bpf_object__btf(object_.get()), section, name);
    if (!extent) continue;
    std::size_t bytes = 0;
    auto* initial =
        static_cast<std::byte*>(bpf_map__initial_value(find_section_map(object_.get(), section), &bytes));
    if (value.size() > extent->bytes || !initial || extent->offset + extent->bytes > bytes)
      return invalid_argument("the value does not fit into " + std::string(name));
    std::memcpy(initial + extent->offset, value.data(), value.size());
    return ok();
  }
  return invalid_argument("the scheduler has no variable " + std::string(name));
}

Status Scheduler::set_topology() {
  const CpuLlcs llcs = read_cpu_llcs(kCpus);
  KTSTR_TRY(set_variable("nr_llcs", std::as_bytes(std::span(&llcs.count, 1))));
  return set_variable("cpu_llc", std::as_bytes(std::span(llcs.of_cpu)));
}

Status Scheduler::set_ops(const Options& options) {
  const bpf_map* map = bpf_object__find_map_by_name(object_.get(), kOpsMap);
  std::size_t bytes = 0;
  auto* ops = static_cast<std::byte*>(bpf_map__initial_value(const_cast<bpf_map*>(map), &bytes));
  const btf* types = bpf_object__btf(object_.get());
  const int id = btf__find_by_name_kind(types, "sched_ext_ops", BTF_KIND_STRUCT);
  if (!ops || id < 0) return Error{ErrorCode::kUnavailable, "the object has no sched_ext_ops"};
  const btf_type* type = btf__type_by_id(types, static_cast<__u32>(id));
  for (int i = 0; i < btf_vlen(type); ++i) {
    const std::string_view member = btf__name_by_offset(types, btf_members(type)[i].name_off);
    std::byte* place = ops + btf_member_bit_offset(type, static_cast<__u32>(i)) / 8;
    if (member == "timeout_ms") std::memcpy(place, &options.timeout_ms, sizeof(options.timeout_ms));
    if (member == "name") std::memcpy(place, options.ops_name.c_str(), options.ops_name.size() + 1);
  }
  return ok();
}

Result<Scheduler> Scheduler::load(const Options& options) {
  libbpf_set_print(print_warning);
  const std::span image(scx_ktstr_object_begin, scx_ktstr_object_end);
  LIBBPF_OPTS(bpf_object_open_opts, how, .object_name = "ktstr");
  Scheduler scheduler(bpf_object__open_mem(image.data(), image.size(), &how));
  if (!scheduler.object_) return refused("open the object", errno);
  KTSTR_TRY(scheduler.set_topology());
  KTSTR_TRY(scheduler.set_ops(options));
  for (const auto& setting : options.settings) KTSTR_TRY(scheduler.set_variable(setting.name, setting.value));
  size_large_hash(scheduler.object_.get(), options.large_hash);
  if (bpf_object__load(scheduler.object_.get()) != 0) return refused("load the object", errno);
  KTSTR_TRY(fill_maps(scheduler.object_.get(), options.large_hash));
  return scheduler;
}

Status Scheduler::attach() {
  link_.reset(bpf_map__attach_struct_ops(bpf_object__find_map_by_name(object_.get(), kOpsMap)));
  if (!link_) return refused("attach the scheduler", errno);
  return ok();
}

void Scheduler::detach() {
  // Ends the scheduler before it returns; closing the link may leave that to a worker of the kernel's.
  if (link_) bpf_link_detach(bpf_link__fd(link_.get()));
  link_.reset();
}

}  // namespace ktstr::bpf
