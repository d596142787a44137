#include <algorithm>

#include "engine/base/nearest.h"
#include "engine/scenario/scenario.h"

namespace ktstr {
namespace {

using engine::Work;
using engine::WorkGroup;

/// Names of the parameters of the work type `type`; nothing when there is no such type.
template <class... W>
std::optional<std::vector<std::string_view>> parameters(const std::variant<W...>*, std::string_view type) {
  std::optional<std::vector<std::string_view>> names;
  const auto attempt = [&]<class A>() {
    if (describe<A>.name != type) return;
    names.emplace();
    for_each_field<A>([&](const auto& field) { names->push_back(field.name); });
  };
  (attempt.template operator()<W>(), ...);
  return names;
}

std::vector<std::string_view> group_fields() {
  std::vector<std::string_view> names;
  for_each_field<WorkGroup>([&](const auto& field) {
    if (field.name != "work") names.push_back(field.name);
  });
  return names;
}

/// One flat table, split into the members of the work type and those of the group.
ReadStatus read_flat(const Value& value, const Value::Object& members, std::string_view type, WorkGroup& out,
                     const ReadPlace& place) {
  const auto own = parameters(static_cast<const Work*>(nullptr), type);
  if (!own) return detail::read_variant(value, out.work, place, MissingMembers::kKeepDefault);
  const auto of_group = group_fields();
  Value::Object work;
  Value::Object group;
  ReadStatus status;
  for (const auto& member : members) {
    const auto is_key = [&](std::string_view name) { return name == member.key; };
    if (std::any_of(of_group.begin(), of_group.end(), is_key)) {
      group.push_back(member);
    } else if (is_key("type") || std::any_of(own->begin(), own->end(), is_key)) {
      work.push_back(member);
    } else {
      auto known = *own;
      known.insert(known.end(), of_group.begin(), of_group.end());
      add_error(
          status,
          place.member(member.key, member.value).error("unknown key" + did_you_mean(member.key, known)));
    }
  }
  add_error(status,
            detail::read_variant(Value{std::move(work)}, out.work, place, MissingMembers::kKeepDefault));
  add_error(status, detail::read_record(Value{std::move(group)}, out, place, MissingMembers::kKeepDefault));
  return status;
}

/// The name of the constructor that made the table; nullptr when none with a name did.
const std::string* made_by(const Value& value) {
  const auto* type = value.find("type");
  return type ? type->get_if<std::string>() : nullptr;
}

}  // namespace

ReadStatus CustomReader<WorkGroup>::read(const Value& value, WorkGroup& out, const ReadPlace& place,
                                         MissingMembers) {
  const auto* object = value.get_if<Value::Object>();
  const auto* name = made_by(value);
  if (!object || !name)
    return detail::wrong_kind(value, "work such as k.work.cpu_spin { workers = 2 }", place);
  return read_flat(value, *object, *name, out, place);
}

ReadStatus CustomReader<engine::Step>::read(const Value& value, engine::Step& out, const ReadPlace& place,
                                            MissingMembers missing) {
  if (const auto* op = made_by(value))
    return place.error("expected a step, got one " + *op + ": ops stand in a step, k.step { k.op." + *op +
                       "(...), hold = \"1s\" }");
  return detail::read_record(value, out, place, missing);
}

ReadStatus CustomReader<engine::CgroupDef>::read(const Value& value, engine::CgroupDef& out,
                                                 const ReadPlace& place, MissingMembers) {
  if (const auto* work = made_by(value))
    return place.error("expected a cgroup, got one " + *work +
                       ": workers stand in a list, { works = { k.work." + *work + " { ... } } }");
  return detail::read_record(value, out, place, MissingMembers::kKeepDefault);
}

ReadStatus CustomReader<engine::Hold>::read(const Value& value, engine::Hold& out, const ReadPlace& place,
                                            MissingMembers missing) {
  if (value.get_if<std::string>())
    return ktstr::read(value, out.emplace<engine::FixedHold>().duration, place, missing);
  if (value.get_if<double>() || value.get_if<std::int64_t>() || value.get_if<std::uint64_t>())
    return ktstr::read(value, out.emplace<engine::FractionHold>().fraction, place, missing);
  return engine::read_choice(value, out, place, "a duration such as \"3s\", a fraction or a k.hold value");
}

}  // namespace ktstr
