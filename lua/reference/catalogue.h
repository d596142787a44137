// Catalogue: what describe<> says of a record and everything inside it, as plain data for pages and
// annotations.
#pragma once

#include <algorithm>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/write.h"
#include "engine/scenario/scenario.h"
#include "introspect/ctprof/compare/aggregate.h"
#include "introspect/ctprof/machine_stats.h"
#include "introspect/ctprof/thread_record.h"
#include "introspect/render/rendered_value.h"

namespace ktstr::lua {

/// A field's type, in words of a script.
struct TypeDoc {
  std::string page;   ///< for reference pages: "list of work group"
  std::string luals;  ///< for the Lua language server: "ktstr.work_group[]"
};

struct FieldDoc {
  std::string_view name;
  TypeDoc type;
  bool optional = false;
  std::string default_text;  ///< empty when there is none
  std::string_view doc;
};

struct RecordDoc {
  std::string_view name;
  std::string_view doc;
  std::vector<FieldDoc> fields;
};

/// "work group" as the name of a Lua class.
[[nodiscard]] std::string class_name(std::string_view record);

/// Types that scripts write in a notation of their own, or through a family of constructors.
template <class T>
inline constexpr std::string_view kFamily{};
template <>
inline constexpr std::string_view kFamily<engine::CpusetSpec> = "cpuset";
template <>
inline constexpr std::string_view kFamily<engine::AffinitySpec> = "affinity";
template <>
inline constexpr std::string_view kFamily<engine::Policy> = "policy";
template <>
inline constexpr std::string_view kFamily<engine::Phase> = "phase";
template <>
inline constexpr std::string_view kFamily<engine::Op> = "op";
template <>
inline constexpr std::string_view kFamily<engine::Hold> = "hold";

/// Types that pages and annotations call otherwise than their kind.
struct TypeName {
  std::string_view page, luals;
};
template <class T>
inline constexpr TypeName kNamed{};
template <>
inline constexpr TypeName kNamed<engine::Hold>{"duration, number or `k.hold`", "string|number|ktstr.hold"};
template <>
inline constexpr TypeName kNamed<engine::WorkGroup>{"`k.work`", "ktstr.work"};
template <>
inline constexpr TypeName kNamed<engine::Step>{"`k.step`", "ktstr.step"};
template <>
inline constexpr TypeName kNamed<engine::SchedulerDef>{"`k.scheduler`, or a path or name",
                                                       "string|ktstr.scheduler"};
template <>
inline constexpr TypeName kNamed<vmm::Topology>{"topology, or a table of one", "string|ktstr.topology"};
template <>
inline constexpr TypeName kNamed<Value::Function>{"function", "function"};
template <>
inline constexpr TypeName kNamed<Value>{"boolean, number or string", "boolean|number|string"};
template <>
inline constexpr TypeName kNamed<introspect::ctprof::ThreadRecord>{"thread", "ktstr.ThreadRecord"};
template <>
inline constexpr TypeName kNamed<introspect::ctprof::Aggregate>{
    "number or table", "number|integer[]|ktstr.Mode|ktstr.AffinityUnion"};
template <>
inline constexpr TypeName kNamed<introspect::ctprof::Limit>{"whole number or \"max\"", "integer|string"};
template <>
inline constexpr TypeName kNamed<introspect::RenderedValue>{"any value", "any"};

namespace detail {

template <class... A>
std::string join_classes(const std::variant<A...>*) {
  std::string text;
  ((text += (text.empty() ? "" : "|") + class_name(describe<A>.name)), ...);
  return text;
}

}  // namespace detail

template <class T>
TypeDoc type_doc() {
  constexpr Kind kKind = kind_of<T>;
  if constexpr (!kNamed<T>.page.empty())
    return {std::string(kNamed<T>.page), std::string(kNamed<T>.luals)};
  else if constexpr (!kFamily<T>.empty())
    return {"`k." + std::string(kFamily<T>) + "`", "ktstr." + std::string(kFamily<T>)};
  else if constexpr (kKind == Kind::kBoolean)
    return {"boolean", "boolean"};
  else if constexpr (kKind == Kind::kEnumeration)
    return {"one of " + std::string(describe<T>.name), "string"};
  else if constexpr (kKind == Kind::kNumber)
    return {"number", "number"};
  else if constexpr (kKind == Kind::kInteger)
    return {"whole number", "integer"};
  else if constexpr (kKind == Kind::kText)
    return {"string", "string"};
  else if constexpr (kKind == Kind::kNotation)
    return {std::string(Notation<T>::kPage), "string"};
  else if constexpr (kKind == Kind::kOptional)
    return type_doc<typename T::value_type>();
  else if constexpr (kKind == Kind::kList) {
    const auto item = type_doc<typename T::value_type>();
    const bool is_union = item.luals.find('|') != std::string::npos;
    return {"list of " + item.page, is_union ? "(" + item.luals + ")[]" : item.luals + "[]"};
  } else if constexpr (kKind == Kind::kMap) {
    const auto item = type_doc<typename T::mapped_type>();
    return {"table of name → " + item.page, "table<string, " + item.luals + ">"};
  } else if constexpr (kKind == Kind::kChoice) {
    return {"table with a `type`", detail::join_classes(static_cast<const T*>(nullptr))};
  } else {
    return {std::string(describe<T>.name), class_name(describe<T>.name)};
  }
}

/// Choices that pages tell of elsewhere.
template <class T>
inline constexpr bool kChosenByScripts =
    std::same_as<T, engine::Work> || std::same_as<T, introspect::ctprof::Aggregate>;

/// A hook's type, which its name and not its C++ type tells: what it gets, and what it may return.
[[nodiscard]] TypeDoc hook_doc(std::string_view field);

/// A default as a script would write it; empty for an absent or empty one.
template <class M>
std::string default_text(const M& value) {
  constexpr Kind kKind = kind_of<M>;
  if constexpr (std::same_as<M, vmm::Topology>)
    return "\"" + value.to_string() + "\"";
  else if constexpr (kChosenByScripts<M> || kKind == Kind::kOptional || kKind == Kind::kList ||
                     kKind == Kind::kMap || kKind == Kind::kRecord)
    return "";
  else if constexpr (kKind == Kind::kChoice)
    return std::visit([]<class A>(const A&) { return std::string(describe<A>.name); }, value);
  else if constexpr (kKind == Kind::kText)
    return value.empty() ? "" : to_json(value);
  else
    return to_json(value);
}

/// Whether fields that a script leaves out keep defaults, or there are no defaults to speak of (choices,
/// reports).
enum class Defaults { kShown, kNone };

template <class Record>
RecordDoc record_doc(Defaults defaults) {
  RecordDoc doc{describe<Record>.name, describe<Record>.doc, {}};
  const Record value{};
  for_each_field<Record>([&](const auto& field) {
    using M = std::remove_cvref_t<decltype(value.*field.member)>;
    const bool shown = defaults == Defaults::kShown;
    const bool optional = shown || kind_of<M> == Kind::kOptional;
    const auto type = [&] {
      if constexpr (std::same_as<M, std::optional<Value::Function>>)
        return hook_doc(field.name);
      else
        return type_doc<M>();
    }();
    doc.fields.push_back(
        {field.name, type, optional, shown ? default_text(value.*field.member) : "", field.doc});
  });
  return doc;
}

/// `Record` and every record inside it, each once, outer ones first.
class Catalogue {
 public:
  template <class Record>
  void add(Defaults defaults) {
    if (contains(describe<Record>.name)) return;
    records_.push_back(record_doc<Record>(defaults));
    for_each_field<Record>([&]<class M>(const FieldDescription<Record, M>&) { add_inside<M>(defaults); });
  }
  [[nodiscard]] const std::deque<RecordDoc>& records() const { return records_; }

 private:
  [[nodiscard]] bool contains(std::string_view name) const {
    return std::any_of(records_.begin(), records_.end(),
                       [&](const auto& record) { return record.name == name; });
  }
  template <class M>
  void add_inside(Defaults defaults) {
    constexpr Kind kKind = kind_of<M>;
    if constexpr (std::same_as<M, vmm::Topology>)
      add<engine::TopologySpec>(defaults);
    else if constexpr (kKind == Kind::kOptional || kKind == Kind::kList)
      add_inside<typename M::value_type>(defaults);
    else if constexpr (kKind == Kind::kMap)
      add_inside<typename M::mapped_type>(defaults);
    else if constexpr (std::same_as<M, engine::WorkGroup> || kChosenByScripts<M> || !kFamily<M>.empty())
      return;
    else if constexpr (kKind == Kind::kChoice)
      add_choices(static_cast<const M*>(nullptr), defaults);
    else if constexpr (kKind == Kind::kRecord)
      add<M>(defaults);
  }
  template <class... A>
  void add_choices(const std::variant<A...>*, Defaults defaults) {
    (add<A>(defaults), ...);
  }

  std::deque<RecordDoc> records_;
};

}  // namespace ktstr::lua
