#include "introspect/scx/exit_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "introspect/sched/events.h"
#include "introspect/scx/flag_names.h"

namespace ktstr::introspect {
namespace {

constexpr std::size_t kMaxMaps = 4096;
/// Each may have a dump of 1 MB.
constexpr std::size_t kMaxSchedulers = 64;
constexpr std::size_t kMaxReasonBytes = 256;
constexpr std::size_t kMaxMessageBytes = 4096;     // the kernel's: SCX_EXIT_MSG_LEN, 1024
constexpr std::uint32_t kMaxBacktraceFrames = 64;  // the kernel's: SCX_EXIT_BT_LEN
/// The kernel's: ops.exit_dump_len, 32 KB unless asked otherwise.
constexpr std::size_t kMaxDumpBytes = 1U << 20;

/// sched_ext_ops, and the variant for schedulers with CPU ids of their own.
constexpr std::string_view kOpsName = "sched_ext_ops";
constexpr std::string_view kCidOpsName = "sched_ext_ops_cid";

/// Absent where the kernel wrote nothing.
std::optional<std::string> text_at(const Kernel& kernel, KernelVirt place, std::size_t cap) {
  if (place.is_null()) return std::nullopt;
  auto text = kernel.read_c_string(place, cap);
  return text && !text->empty() ? text : std::nullopt;
}

}  // namespace

Result<ScxExitReader> ScxExitReader::create(const Kernel& kernel) {
  ScxExitReader reader;
  KTSTR_TRY(resolve_all(kernel.btf(), {&reader.sched_, &reader.info_}));
  reader.root_ = KTSTR_TRY(kernel.address("scx_root"));
  reader.kinds_ = kernel.btf().enumerators("scx_exit_kind");
  for (const auto& [name, value] : reader.kinds_) {
    if (name == "SCX_EXIT_DONE") reader.done_ = static_cast<std::uint32_t>(value);
    if (name == "SCX_EXIT_ERROR") reader.first_error_ = static_cast<std::uint32_t>(value);
  }
  StructOpsLayouts struct_ops;
  XarrayLayout xarray;
  const auto map_idr = kernel.address("map_idr");
  if (struct_ops.resolve(kernel.btf()) && xarray.resolve(kernel.btf()) && map_idr) {
    reader.struct_ops_ = std::move(struct_ops);
    reader.xarray_ = std::move(xarray);
    reader.map_idr_ = *map_idr;
  }
  return reader;
}

Result<std::optional<ScxExitKind>> ScxExitReader::read_exit_kind(const Kernel& kernel) const {
  const KernelVirt sched = KTSTR_TRY(read_scx_root(kernel, root_));
  if (sched.is_null()) return std::optional<ScxExitKind>();
  const auto kind = sched_.read<&ScxSchedState::exit_kind>(kernel, sched);
  if (!kind) return Error{ErrorCode::kOutOfRange, "the scx_sched at scx_root can't be read"};
  ScxExitKind found{sched, *kind};
  if (found.kind == done_) {
    const auto info = sched_.exit_info.read(kernel, sched);
    const auto first = info ? info_.read<&ScxExitRecord::kind>(kernel, *info) : std::nullopt;
    if (!first) return Error{ErrorCode::kOutOfRange, "the scheduler's exit information can't be read"};
    found.kind = *first;
  }
  if (KTSTR_TRY(read_scx_root(kernel, root_)) == sched) return std::optional(found);
  return Error{ErrorCode::kUnavailable, "the scheduler changed while its exit kind was read"};
}

std::vector<LiveScheduler> ScxExitReader::live_schedulers(const Kernel& kernel) const {
  std::vector<LiveScheduler> found;
  const auto root_sched = read_scx_root(kernel, root_);
  if (root_sched && !root_sched->is_null()) found.push_back({*root_sched, true});
  if (!struct_ops_) return found;
  const auto maps = walk_idr(kernel.translator(), *xarray_, *map_idr_, kMaxMaps);
  for (const XarrayEntry& entry : maps.items) {
    if (found.size() == kMaxSchedulers) break;
    const auto sched = scheduler_of_map(kernel, entry.pointer());
    if (sched && std::ranges::find(found, *sched, &LiveScheduler::sched) == found.end())
      found.push_back({*sched, false});
  }
  return found;
}

std::optional<KernelVirt> ScxExitReader::root_map(const Kernel& kernel) const {
  const auto root_sched = read_scx_root(kernel, root_);
  if (!root_sched || root_sched->is_null() || !struct_ops_) return std::nullopt;
  const auto maps = walk_idr(kernel.translator(), *xarray_, *map_idr_, kMaxMaps);
  for (const XarrayEntry& entry : maps.items)
    if (scheduler_of_map(kernel, entry.pointer()) == *root_sched) return entry.pointer();
  return std::nullopt;
}

/// The kernel sets priv in the map's own copy of the ops as it makes the scheduler, and clears it as the map
/// is unregistered, before it drops its reference to the scheduler (bpf_scx_reg, bpf_scx_unreg).
std::optional<KernelVirt> ScxExitReader::scheduler_of_map(const Kernel& kernel, KernelVirt map) const {
  const StructOpsLayouts& layouts = *struct_ops_;
  if (layouts.map.type.read(kernel, map) != layouts.map_type) return std::nullopt;
  const auto description = layouts.map.description.read(kernel, map);
  const auto struct_ops =
      description ? layouts.description.struct_ops.read(kernel, *description) : std::nullopt;
  const auto name_place = struct_ops ? layouts.struct_ops.name.read(kernel, *struct_ops) : std::nullopt;
  const auto name = name_place ? text_at(kernel, *name_place, kCidOpsName.size() + 1) : std::nullopt;
  if (!name) return std::nullopt;
  const KernelVirt ops = layouts.map.ops.address(map);
  std::optional<KernelVirt> sched;
  if (*name == kOpsName) sched = layouts.ops.scheduler.read(kernel, ops);
  if (*name == kCidOpsName && layouts.cid_ops) sched = layouts.cid_ops->scheduler.read(kernel, ops);
  if (!sched || sched->is_null() || !kernel.plausible_pointer(*sched)) return std::nullopt;
  return sched;
}

Result<ScxExitRecord> ScxExitReader::read_record(const Kernel& kernel, const LiveScheduler& scheduler) const {
  StructBytes sched;
  if (!sched.capture(kernel, sched_, scheduler.sched))
    return Error{ErrorCode::kOutOfRange, "the scx_sched can't be read"};
  const KernelVirt place = sched_.exit_info.of(sched);
  StructBytes info;
  if (!kernel.plausible_pointer(place)) return corrupted("the scx_sched has no exit information");
  if (!info.capture(kernel, info_, place))
    return Error{ErrorCode::kOutOfRange, "the exit information can't be read"};
  ScxExitRecord record;
  record.sched_kva = scheduler.sched.value();
  record.source = scheduler.is_root ? kExitFromRoot : kExitFromStructOps;
  ScxSchedState state;
  sched_.fill(sched, state);
  record.ops_name = std::move(state.ops_name);
  record.settled = state.exit_kind == done_;
  info_.fill(info, record);
  record.kind_name = name_of(kinds_, record.kind);
  read_texts(kernel, info, record);
  read_backtrace(kernel, info, record);
  return record;
}

void ScxExitReader::read_texts(const Kernel& kernel, const StructBytes& info, ScxExitRecord& record) const {
  record.reason = text_at(kernel, info_.reason.of(info), kMaxReasonBytes);
  record.msg = text_at(kernel, info_.message.of(info), kMaxMessageBytes);
  record.dump = text_at(kernel, info_.dump.of(info), kMaxDumpBytes + 1);
  if (!record.dump || record.dump->size() <= kMaxDumpBytes) return;
  record.dump->resize(kMaxDumpBytes);
  record.dump_truncated = true;
}

void ScxExitReader::read_backtrace(const Kernel& kernel, const StructBytes& info,
                                   ScxExitRecord& record) const {
  std::array<std::uint64_t, kMaxBacktraceFrames> addresses{};
  const auto count = std::min(info_.backtrace_length.of(info), kMaxBacktraceFrames);
  const auto frames = std::span(addresses).first(count);
  if (!kernel.read_bytes(info_.backtrace.of(info), std::as_writable_bytes(frames))) return;
  for (const std::uint64_t address : frames) {
    const auto named = kernel.symbolize(KernelVirt(address));
    record.backtrace.push_back({address, {}});
    if (named) record.backtrace.back().symbol = fmt::format("{}+{:#x}", named->name, named->offset);
  }
}

/// A scheduler that is referred to before and after its record was read existed all the while: the kernel
/// frees it only after the last reference is gone.
std::vector<ScxExitRecord> ScxExitReader::ended(const Kernel& kernel) const {
  std::vector<ScxExitRecord> records;
  for (const LiveScheduler& scheduler : live_schedulers(kernel))
    if (auto record = read_record(kernel, scheduler); record && (record->kind != 0 || record->settled))
      records.push_back(std::move(*record));
  if (records.empty()) return records;
  const auto still_there = live_schedulers(kernel);
  std::erase_if(records, [&](const ScxExitRecord& record) {
    return std::ranges::find(still_there, KernelVirt(record.sched_kva), &LiveScheduler::sched) ==
           still_there.end();
  });
  return records;
}

}  // namespace ktstr::introspect
