#include <fmt/format.h>

#include "engine/base/write.h"
#include "engine/dump/sections.h"

namespace ktstr::engine {
namespace {

template <class Record>
std::string fields_text(const Record& record, std::string_view indent);

template <class M>
std::string field_text(std::string_view name, const M& value, std::string_view indent) {
  if constexpr (kind_of<M> == Kind::kOptional) {
    return value ? field_text(name, *value, indent) : "";
  } else if constexpr (DescribedRecord<M>) {
    return fmt::format("{}{}\n", indent, name) + fields_text(value, std::string(indent) + "  ");
  } else if constexpr (std::unsigned_integral<M> && sizeof(M) == 8) {
    const bool address = name.ends_with("_kva") || name.ends_with("dsq_id");
    return fmt::format("{}{:<22} {}\n", indent, name,
                       address ? fmt::format("{:#x}", value) : std::to_string(value));
  } else {
    return fmt::format("{}{:<22} {}\n", indent, name, to_json(value));
  }
}

template <class Record>
std::string fields_text(const Record& record, std::string_view indent) {
  std::string text;
  for_each_field<Record>(
      [&](const auto& field) { text += field_text(field.name, record.*field.member, indent); });
  return text;
}

}  // namespace

std::string task_text(const introspect::TaskEnrichment& task) {
  return "task " + task_name(task) + "\n" + fields_text(task, "  ");
}

}  // namespace ktstr::engine
