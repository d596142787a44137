#include "engine/base/read_format.h"

namespace ktstr {

Result<FormatVersion> format_of(const Value& tree, std::string_view member, FormatVersion if_absent) {
  const auto* value = tree.find(member);
  if (!value || value->is_null()) return if_absent;
  const auto* text = value->get_if<std::string>();
  if (!text)
    return corrupted(std::string(member) + ": expected a format version such as \"1.0\", got " +
                     std::string(value->kind_name()));
  auto version = KTSTR_TRY(FormatVersion::parse(*text), member);
  return version;
}

std::string left_out_text(const UnknownMembers& unknown, FormatVersion found, FormatVersion known) {
  if (unknown.count == 0) return {};
  std::string text = newer_format_text(found, known) + ": left out " + std::to_string(unknown.count) +
                     (unknown.count == 1 ? " unknown member: " : " unknown members: ");
  for (std::size_t i = 0; i < unknown.first.size(); ++i) text += (i == 0 ? "" : ", ") + unknown.first[i];
  return text + (unknown.first.size() < unknown.count ? " ..." : "");
}

}  // namespace ktstr
