#include "vmm/kvm/statistics.h"

#include <linux/kvm.h>

#include <cstring>
#include <optional>
#include <string_view>
#include <vector>

#include "engine/base/io.h"
#include "vmm/kvm/ioctl.h"

namespace ktstr::vmm::kvm {
namespace {

constexpr std::size_t kMaxContent = 1 << 20;  // a vCPU's is 8 KiB on Linux 6.18
constexpr std::size_t kMaxName = 4096;        // KVM_STATS_NAME_SIZE is 48

Error bad_statistics(const char* what) {
  return corrupted(std::string("KVM's statistics: ") + what);
}

/// `size` bytes from `offset` on, which both come from the content.
std::optional<std::span<const std::byte>> slice(std::span<const std::byte> content, std::uint64_t offset,
                                                std::uint64_t size) {
  if (offset > content.size() || size > content.size() - offset) return std::nullopt;
  return content.subspan(offset, size);
}

template <class T>
std::optional<T> load(std::span<const std::byte> content, std::uint64_t offset) {
  const auto bytes = slice(content, offset, sizeof(T));
  if (!bytes) return std::nullopt;
  T value;
  std::memcpy(&value, bytes->data(), sizeof(value));
  return value;
}

/// struct kvm_stats_desc, without the flexible array at its end, which has no size in C and may have one in
/// C++.
struct Descriptor {
  std::uint32_t flags;
  std::int16_t exponent;
  std::uint16_t size;  ///< values
  std::uint32_t offset;
  std::uint32_t bucket_size;
};
static_assert(sizeof(Descriptor) == offsetof(kvm_stats_desc, bucket_size) + sizeof(std::uint32_t));

std::optional<std::string_view> load_name(std::span<const std::byte> content, std::uint64_t offset,
                                          std::size_t size) {
  const auto bytes = slice(content, offset, size);
  if (!bytes) return std::nullopt;
  const std::string_view name(reinterpret_cast<const char*>(bytes->data()), bytes->size());
  const auto end = name.find('\0');
  return end == name.npos ? std::nullopt : std::optional(name.substr(0, end));
}

bool is_single(const Descriptor& descriptor) {
  return descriptor.size == 1 && (descriptor.flags & KVM_STATS_TYPE_MASK) <= KVM_STATS_TYPE_PEAK;
}

Status add_value(std::span<const std::byte> content, const kvm_stats_header& header, std::uint64_t at,
                 StatisticValues& values) {
  const auto descriptor = load<Descriptor>(content, at);
  const auto name = load_name(content, at + sizeof(Descriptor), header.name_size);
  if (!descriptor || !name) return bad_statistics("a descriptor lies outside");
  if (!is_single(*descriptor)) return ok();
  const auto value = load<std::uint64_t>(content, std::uint64_t{header.data_offset} + descriptor->offset);
  if (!value) return bad_statistics("a value lies outside");
  if (!values.emplace(*name, *value).second) return bad_statistics("a name is there twice");
  return ok();
}

}  // namespace

Result<StatisticValues> parse_statistics(std::span<const std::byte> content) {
  const auto header = load<kvm_stats_header>(content, 0);
  if (!header) return bad_statistics("no header");
  if (header->name_size == 0 || header->name_size > kMaxName)
    return bad_statistics("its names have no size or too much of it");
  const std::uint64_t stride = sizeof(Descriptor) + header->name_size;
  if (!slice(content, header->desc_offset, header->num_desc * stride))
    return bad_statistics("a descriptor lies outside");
  StatisticValues values;
  for (std::uint64_t i = 0; i < header->num_desc; ++i)
    KTSTR_TRY(add_value(content, *header, header->desc_offset + i * stride, values));
  return values;
}

Result<Fd> open_statistics(int vm_or_vcpu) {
  Fd fd(::ioctl(vm_or_vcpu, KVM_GET_STATS_FD, 0));
  if (!fd && (errno == ENOTTY || errno == EINVAL))
    return Error{ErrorCode::kUnavailable, "this kernel's KVM has no binary statistics (Linux 5.14)"};
  if (!fd) return system_error("KVM_GET_STATS_FD");
  return fd;
}

Result<StatisticValues> read_statistics(int file) {
  const auto content = KTSTR_TRY(read_file(file, kMaxContent, "KVM's statistics"));
  if (content.truncated) return bad_statistics("no end");
  return parse_statistics(std::as_bytes(std::span(content.text)));
}

}  // namespace ktstr::vmm::kvm
