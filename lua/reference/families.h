// The families of constructors (k.work, k.cpuset ...) and their members, as plain data.
#pragma once

#include "lua/reference/catalogue.h"

namespace ktstr::lua {

struct FamilyDoc {
  std::string_view name;
  std::string_view doc;
  bool takes_positions;  ///< values in the order of the fields; otherwise one table
  std::vector<RecordDoc> members;
};

[[nodiscard]] const std::vector<FamilyDoc>& families();

/// What every k.work takes beside its own parameters.
[[nodiscard]] RecordDoc work_group_doc();

}  // namespace ktstr::lua
