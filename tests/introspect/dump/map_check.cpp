#include "tests/introspect/dump/map_check.h"

#include "tests/introspect/dump/same_type.h"

namespace ktstr::introspect::test {
namespace {

class MapCheck {
 public:
  MapCheck(const FailureDumpMap& map, const DeclaredTypes& declared, Whole whole)
      : map_(map), declared_(declared), whole_(whole) {}

  std::string run() {
    if (map_.map_type != declared_.map_type || map_.value_size != declared_.value_size ||
        map_.max_entries != declared_.max_entries)
      problem("has another header than in memory");
    check_value(map_.value);
    if (map_.struct_ops) check_value(map_.struct_ops->user_value);
    for (const auto& entry : map_.entries) check_entry(entry);
    for (const auto& entry : map_.array_entries) check_value(entry.value);
    for (const auto& entry : map_.percpu_entries) check_values(entry.per_cpu);
    for (const auto& entry : map_.percpu_hash_entries) {
      check_pair(declared_.key, entry.key, entry.key_hex);
      check_values(entry.per_cpu);
    }
    return problem_;
  }

 private:
  using Shown = std::optional<RenderedValue>;

  void problem(const std::string& text) {
    if (problem_.empty()) problem_ = map_.name + " (" + map_.type_name + ") " + text;
  }
  void check_untyped() {
    if (whole_ == Whole::kYes || !map_.error) problem("has bytes where its type is known");
  }

  /// Where a value without a type is shown as bytes; an absent one could not be read.
  void check_value(const Shown& shown) {
    if (!shown) return;
    if (shown->get_if<RenderedBytes>() && !declared_.value) return;
    if (shown->get_if<RenderedBytes>() && !declared_.value->get_if<RenderedBytes>()) return check_untyped();
    check_typed(declared_.value, *shown);
  }
  void check_values(const std::vector<Shown>& shown) {
    for (const auto& value : shown) check_value(value);
  }

  /// Where the bytes are shown in any case, and a typed form beside them if there is one.
  void check_pair(const Shown& model, const Shown& shown, const std::string& hex) {
    if (shown) return check_typed(model, *shown);
    if (model && !hex.empty()) check_untyped();
  }
  /// The key of a storage is its owner, of a type that the kernel's code says.
  void check_entry(const FailureDumpEntry& entry) {
    if (!map_.type_name.ends_with("_STORAGE")) check_pair(declared_.key, entry.key, entry.key_hex);
    check_pair(declared_.value, entry.value, entry.value_hex);
  }

  void check_typed(const Shown& model, const RenderedValue& shown) {
    if (!model) return problem("shows " + to_text(shown) + " without a type in memory");
    if (!same_type(*model, shown)) problem("shows " + to_text(shown) + " for " + to_text(*model));
  }

  const FailureDumpMap& map_;
  const DeclaredTypes& declared_;
  Whole whole_;
  std::string problem_;
};

}  // namespace

std::string wrong_type(const FailureDumpMap& map, const DeclaredTypes& declared, Whole whole) {
  return MapCheck(map, declared, whole).run();
}

}  // namespace ktstr::introspect::test
