#include "introspect/reader.h"

#include <fmt/format.h>

#include "engine/base/utf8.h"

namespace ktstr::introspect::detail {

std::string RecordField::text_of(std::span<const std::byte> bytes) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  return valid_utf8(text.substr(0, text.find('\0')));
}

std::string lacking(const StructLayout& layout, std::span<const RecordField> fields,
                    std::string_view config) {
  std::vector<std::string_view> names;
  for (const RecordField& field : fields)
    if (field.is_declared() && !field.present() && field.origin().config == config)
      names.push_back(field.origin().paths.front());
  if (names.empty()) return {};
  return fmt::format("struct {}: no {} ({})", layout.name(), fmt::join(names, ", "), config);
}

}  // namespace ktstr::introspect::detail
