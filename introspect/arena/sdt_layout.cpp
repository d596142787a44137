#include "introspect/arena/sdt_layout.h"

namespace ktstr::introspect {

namespace {

constexpr std::uint64_t kMaxDescBytes = 4096;

Status resolve_desc(const Btf& btf, SdtLayout& layout) {
  if (!btf.find_struct("sdt_desc")) return ok();
  const auto desc = KTSTR_TRY(resolve_layout<SdtDescLayout>(btf));
  if (desc.size() > kMaxDescBytes) return Error{ErrorCode::kCorrupt, "struct sdt_desc is larger than a page"};
  layout.desc_bytes = desc.size();
  layout.desc_allocated = desc.allocated.offset();
  layout.desc_nr_free = desc.nr_free.offset();
  layout.desc_chunk = desc.chunk.offset();
  return ok();
}

}  // namespace

Result<SdtLayout> SdtLayout::resolve(const Btf& btf) {
  const auto allocator = btf.find_struct("scx_allocator");
  if (!allocator) return Error{ErrorCode::kNotFound, "no struct scx_allocator"};
  KTSTR_TRY(btf.member(*allocator, "pool.elem_size"));
  const BtfMember root = KTSTR_TRY(btf.member(*allocator, "root"));
  const auto node = btf.pointee(root.type);
  if (!node || btf.name_of(btf.strip(*node)) != "sdt_desc")
    return Error{ErrorCode::kNotFound, "scx_allocator.root does not point to a struct sdt_desc"};
  SdtLayout layout;
  KTSTR_TRY(resolve_desc(btf, layout));
  if (const auto chunk = btf.find_struct("sdt_chunk"))
    for (const std::string_view name : {"descs", "data"})
      if (const auto member = btf.member(*chunk, name)) layout.chunk_pointers = member->byte_offset();
  if (const auto data = btf.find_struct("sdt_data"))
    if (const auto size = btf.size_of(*data); size && *size >= 8 && *size <= 64) layout.header_bytes = *size;
  return layout;
}

}  // namespace ktstr::introspect
