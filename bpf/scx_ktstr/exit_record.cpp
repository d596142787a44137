#include "bpf/scx_ktstr/exit_record.h"

#include <bpf/btf.h>

#include "bpf/fixture_contents.h"

namespace ktstr::bpf {
namespace {

constexpr std::int32_t kFirstError = 1024;

std::string text_of(const char* bytes, std::size_t size) {
  return {bytes, ::strnlen(bytes, size)};
}

int take(void* context, void* data, std::size_t bytes) {
  auto& record = *static_cast<std::optional<ExitRecord>*>(context);
  if (bytes < sizeof(exit_record)) return 0;
  const auto* raw = static_cast<const exit_record*>(data);
  record = ExitRecord{raw->kind, raw->code, text_of(raw->reason, sizeof(raw->reason)),
                      text_of(raw->message, sizeof(raw->message))};
  return 0;
}

/// The enumerator of the running kernel's scx_exit_kind with this value; "" when unknown.
std::string kind_name(std::int32_t kind) {
  const std::unique_ptr<btf, decltype(&btf__free)> types(btf__load_vmlinux_btf(), &btf__free);
  const int id = types ? btf__find_by_name_kind(types.get(), "scx_exit_kind", BTF_KIND_ENUM) : -1;
  if (id < 0) return "";
  const btf_type* type = btf__type_by_id(types.get(), static_cast<__u32>(id));
  for (int i = 0; i < btf_vlen(type); ++i)
    if (btf_enum(type)[i].val == kind) return btf__name_by_offset(types.get(), btf_enum(type)[i].name_off);
  return "";
}

}  // namespace

bool is_error(std::int32_t kind) {
  return kind >= kFirstError;
}

std::string to_string(const ExitRecord& record) {
  const std::string name = kind_name(record.kind);
  const std::string number = std::to_string(record.kind);
  std::string text = "exit kind " + (name.empty() ? number : name + " (" + number + ")");
  text += ", code " + std::to_string(record.code) + ": " + record.reason;
  return record.message.empty() ? text : text + ": " + record.message;
}

Result<ExitReader> ExitReader::open(int map) {
  ExitReader reader;
  reader.ring_.reset(ring_buffer__new(map, take, reader.record_.get(), nullptr));
  if (!reader.ring_) return system_error("map the ring buffer exits");
  return reader;
}

std::optional<ExitRecord> ExitReader::read(int timeout_ms) {
  if (!*record_) ring_buffer__poll(ring_.get(), timeout_ms);
  return *record_;
}

}  // namespace ktstr::bpf
