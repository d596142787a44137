#include "introspect/arena/sdt_layout.h"

namespace ktstr::introspect {

Result<SdtLayout> SdtLayout::resolve(const Btf& btf) {
  SdtLayout layout;
  const auto allocator = btf.find_struct("scx_allocator");
  if (!allocator) return Error{ErrorCode::kNotFound, "no struct scx_allocator"};
  for (const std::string_view path : {"pool.elem_size", "root"}) KTSTR_TRY(btf.member(*allocator, path));
  KTSTR_TRY_STATUS(layout.desc.resolve(btf));
  if (const auto chunk = btf.find_struct("sdt_chunk"))
    for (const std::string_view name : {"descs", "data"})
      if (const auto member = btf.member(*chunk, name)) layout.chunk_offset = member->byte_offset();
  if (const auto data = btf.find_struct("sdt_data"))
    if (const auto size = btf.size_of(*data); size && *size >= 8 && *size <= 64) layout.header_bytes = *size;
  return layout;
}

}  // namespace ktstr::introspect
