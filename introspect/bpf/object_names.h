// Names of BPF objects, and of the enumerators that say what they are.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "introspect/bpf/layouts.h"
#include "introspect/btf.h"

namespace ktstr::introspect {

/// The text of a BPF object's name; nullopt for bytes that bpf_obj_name_cpy() lets through for no object.
[[nodiscard]] std::optional<std::string> bpf_object_name(const BpfName& bytes);

/// The names of an enum's values without their common prefix: "HASH" for BPF_MAP_TYPE_HASH.
class EnumNames {
 public:
  EnumNames(const Btf& btf, std::string_view enumeration, std::string_view prefix);

  /// The shortest of several names for one value; nullopt for a value that the enum does not have.
  [[nodiscard]] std::optional<std::string> find(std::int64_t value) const;
  /// The same, or the number.
  [[nodiscard]] std::string name(std::int64_t value) const;
  [[nodiscard]] bool empty() const { return names_.empty(); }

 private:
  std::map<std::int64_t, std::string> names_;
};

}  // namespace ktstr::introspect
