#include "introspect/layout.h"

#include <fmt/format.h>

#include <algorithm>

namespace ktstr::introspect {

namespace {

constexpr std::uint64_t kMaxStructBytes = 1U << 20;  // so that no capture is larger, whatever the BTF says
constexpr std::ptrdiff_t kMaxLayoutBytes = 1 << 16;

}  // namespace

StructLayout::StructLayout(Alternatives names) : names_(names) {
  KTSTR_CHECK(!names_.empty());
  name_ = names_.front();
}

void StructLayout::add(const FieldBase& field) {
  const std::ptrdiff_t distance = reinterpret_cast<const char*>(&field) - reinterpret_cast<const char*>(this);
  KTSTR_CHECK(distance > 0 &&
              distance < kMaxLayoutBytes);  // a member of the derived object, not something elsewhere
  fields_.push_back(distance);
}

FieldBase& StructLayout::field_at(std::ptrdiff_t distance) {
  return *reinterpret_cast<FieldBase*>(reinterpret_cast<char*>(this) + distance);
}

void StructLayout::forget() {
  name_ = names_.front();
  type_ = BtfTypeId{};
  size_ = fields_begin_ = fields_end_ = 0;
  absences_.clear();
  for (const std::ptrdiff_t distance : fields_) field_at(distance).forget();
}

Status StructLayout::resolve(const Btf& btf) {
  forget();
  for (const std::string_view candidate : names_) {
    const auto found = btf.find_struct(candidate);
    if (!found) continue;
    name_ = candidate;
    type_ = *found;
    size_ = btf.size_of(*found).value_or(0);
    Status fields = resolve_fields(btf);
    if (!fields) forget();
    return fields;
  }
  return Error{ErrorCode::kNotFound,
               fmt::format("no struct {} in the kernel's BTF", fmt::join(names_, " or "))};
}

Status StructLayout::resolve_fields(const Btf& btf) {
  if (size_ == 0 || size_ > kMaxStructBytes)
    return corrupted(fmt::format("struct {}: size of {} bytes", name_, size_));
  std::vector<std::string> problems;
  fields_begin_ = size_;
  for (const std::ptrdiff_t distance : fields_) {
    FieldBase& field = field_at(distance);
    if (auto problem = field.resolve(btf, *this))
      (field.need_ == FieldBase::Need::kRequired ? problems : absences_).push_back(std::move(*problem));
    else
      include_in_extent(field);
  }
  fields_begin_ = std::min(fields_begin_, fields_end_);
  if (problems.empty()) return ok();
  return Error{ErrorCode::kNotFound, fmt::format("struct {}: {}", name_, fmt::join(problems, "; "))};
}

void StructLayout::include_in_extent(const FieldBase& field) {
  fields_begin_ = std::min(fields_begin_, field.offset_);
  fields_end_ = std::max(fields_end_, field.offset_ + field.size_);
}

void FieldBase::declare(StructLayout& owner, std::vector<std::string_view> paths, Need need,
                        std::uint64_t expected_size) {
  paths_ = std::move(paths);
  expected_size_ = expected_size;
  need_ = need;
  KTSTR_CHECK(!paths_.empty());
  owner.add(*this);
}

void FieldBase::forget() {
  present_ = false;
  offset_ = size_ = 0;
  type_ = BtfTypeId{};
  bit_shift_ = bit_width_ = 0;
}

std::optional<std::string> FieldBase::resolve(const Btf& btf, const StructLayout& owner) {
  for (const std::string_view path : paths_) {
    const auto member = btf.member(owner.type(), path);
    if (member) return place(*member, path, owner.size());
    if (member.error().code != ErrorCode::kNotFound) return member.error().message;
  }
  return fmt::format("no member {} (tried {})", paths_.front(), fmt::join(paths_, ", "));
}

std::optional<std::string> FieldBase::place(const BtfMember& member, std::string_view path,
                                            std::uint64_t owner_size) {
  const std::string subject = "member " + std::string(path);
  if (expected_size_ != 0 && member.size_bytes != expected_size_)
    return fmt::format("{} has {} bytes, expected {}", subject, member.size_bytes, expected_size_);
  const std::uint64_t unit_bits = member.size_bytes * 8;
  std::uint64_t offset = member.byte_offset();
  if (member.bitfield_bits != 0) {
    if (unit_bits == 0 || unit_bits > 64 || member.bit_offset % unit_bits + member.bitfield_bits > unit_bits)
      return subject + " is a bitfield that does not fit its type";
    offset = member.bit_offset / unit_bits * member.size_bytes;
  }
  if (offset + member.size_bytes > owner_size) return subject + " lies outside the structure";
  if (member.bitfield_bits != 0 && member.bitfield_bits < unit_bits) {
    bit_shift_ = static_cast<std::uint8_t>(member.bit_offset % unit_bits);
    bit_width_ = static_cast<std::uint8_t>(member.bitfield_bits);
  }
  offset_ = offset;
  size_ = member.size_bytes;
  type_ = member.type;
  present_ = true;
  return std::nullopt;
}

Status resolve_all(const Btf& btf, std::initializer_list<StructLayout*> layouts) {
  std::vector<std::string> problems;
  for (StructLayout* layout : layouts)
    if (const Status status = layout->resolve(btf); !status) problems.push_back(status.error().message);
  if (problems.empty()) return ok();
  return Error{ErrorCode::kNotFound, fmt::format("{}", fmt::join(problems, "; "))};
}

}  // namespace ktstr::introspect
