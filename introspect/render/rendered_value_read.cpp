// Reading the JSON form of a RenderedValue.
#include <cmath>
#include <initializer_list>
#include <limits>

#include "introspect/render/render.h"
#include "introspect/render/rendered_value_json.h"

namespace ktstr {

namespace {

using namespace introspect;

/// More than rendering produces: kMaxRenderDepth levels, each inside a truncation and a followed pointer.
constexpr int kMaxReadDepth = 3 * static_cast<int>(kMaxRenderDepth) + 8;

ReadStatus read_value(const Value& value, RenderedValue& out, const ReadPlace& place, int depth);

/// The members of one tagged object.
class KindReader {
 public:
  KindReader(const Value::Object& object, const ReadPlace& place, int depth)
      : object_(object), place_(place), depth_(depth) {}

  /// Reads the member called `key` into `out`; after a first error, nothing.
  template <class T>
  KindReader& required(std::string_view key, T& out) {
    if (const Value* member = find(key))
      set(key, *member, out);
    else
      fail(detail::missing_member(key, place_));
    return *this;
  }
  template <class T>
  KindReader& optional(std::string_view key, T& out) {
    if (const Value* member = find(key)) set(key, *member, out);
    return *this;
  }
  const Value* find(std::string_view key) const { return detail::last_member(object_, key); }
  void fail(ReadError error) {
    if (!status_) status_ = std::move(error);
  }
  [[nodiscard]] ReadPlace place(std::string_view key, const Value& member) const {
    return place_.member(key, member);
  }
  [[nodiscard]] int depth() const { return depth_; }
  [[nodiscard]] ReadStatus status() && { return std::move(status_); }

 private:
  template <class T>
  void set(std::string_view key, const Value& member, T& out) {
    if (!status_) status_ = ktstr::read(member, out, place_.member(key, member), MissingMembers::kError);
  }
  void set(std::string_view key, const Value& member, RenderedValue& out) {
    if (!status_) status_ = read_value(member, out, place_.member(key, member), depth_ + 1);
  }
  void set(std::string_view key, const Value& member, std::optional<RenderedValue>& out) {
    if (!member.is_null()) set(key, member, out.emplace());
  }
  void set(std::string_view key, const Value& member, std::vector<RenderedValue>& out);
  void set(std::string_view key, const Value& member, std::vector<RenderedMember>& out);

  const Value::Object& object_;
  const ReadPlace& place_;
  int depth_;
  ReadStatus status_;
};

void KindReader::set(std::string_view key, const Value& member, std::vector<RenderedValue>& out) {
  const ReadPlace list_place = place_.member(key, member);
  const auto* list = member.get_if<Value::List>();
  if (list == nullptr) return fail(detail::wrong_kind(member, "a list", list_place));
  out.resize(list->size());
  for (std::size_t i = 0; i < list->size() && !status_; ++i)
    status_ = read_value((*list)[i], out[i], list_place.element(i, (*list)[i]), depth_ + 1);
}

void KindReader::set(std::string_view key, const Value& member, std::vector<RenderedMember>& out) {
  const ReadPlace list_place = place_.member(key, member);
  const auto* list = member.get_if<Value::List>();
  if (list == nullptr) return fail(detail::wrong_kind(member, "a list", list_place));
  out.resize(list->size());
  for (std::size_t i = 0; i < list->size() && !status_; ++i) {
    const ReadPlace place = list_place.element(i, (*list)[i]);
    const auto* object = (*list)[i].get_if<Value::Object>();
    if (object == nullptr) return fail(detail::wrong_kind((*list)[i], "a table", place));
    KindReader reader(*object, place, depth_);
    reader.required("name", out[i].name).required("value", out[i].value);
    status_ = std::move(reader).status();
  }
}

void read_float(KindReader& reader, double& out) {
  const Value* member = reader.find("value");
  const auto* name = member ? member->get_if<std::string>() : nullptr;
  if (name == nullptr) return void(reader.required("value", out));
  if (*name == "nan")
    out = std::numeric_limits<double>::quiet_NaN();
  else if (*name == "inf")
    out = std::numeric_limits<double>::infinity();
  else if (*name == "-inf")
    out = -std::numeric_limits<double>::infinity();
  else
    reader.fail(detail::wrong_kind(*member, "a number", reader.place("value", *member)));
}

void read_pointer(KindReader& reader, RenderedPtr& out) {
  RenderedTarget target;
  reader.required("value", out.value)
      .optional("deref", target.deref)
      .optional("deref_skipped_reason", target.deref_skipped_reason)
      .optional("cast_annotation", target.cast_annotation)
      .optional("symbol", target.symbol);
  if (target.deref || target.deref_skipped_reason || target.cast_annotation || target.symbol)
    out.target = Boxed(std::move(target));
}

/// An array whose elements are all char is a text.
void read_array(KindReader& reader, RenderedValue& out) {
  RenderedArray array;
  reader.required("len", array.len).required("elements", array.elements);
  RenderedText text{array.len, {}};
  for (const RenderedValue& element : array.elements)
    if (const auto* character = element.get_if<RenderedChar>())
      text.bytes += static_cast<char>(character->value);
  if (!text.bytes.empty() && text.bytes.size() == array.elements.size())
    out.data = std::move(text);
  else
    out.data = std::move(array);
}

void read_truncated(KindReader& reader, RenderedTruncated& out) {
  RenderedValue partial;
  reader.required("needed", out.needed).required("had", out.had).required("partial", partial);
  out.partial = Boxed(std::move(partial));
}

template <class T>
void read_sized(KindReader& reader, T& out) {
  reader.required("bits", out.bits).required("value", out.value);
}

void read_enum(KindReader& reader, RenderedEnum& out) {
  read_sized(reader, out);
  reader.optional("variant", out.variant).optional("is_signed", out.is_signed);
}

struct Kind {
  std::string_view name;
  void (*read)(KindReader&, RenderedValue&);
};

template <class T>
T& as(RenderedValue& out) {
  return out.data.emplace<T>();
}

using R = KindReader&;
using V = RenderedValue&;
constexpr Kind kKinds[] = {
    {"int", [](R r, V v) { read_sized(r, as<RenderedInt>(v)); }},
    {"uint", [](R r, V v) { read_sized(r, as<RenderedUint>(v)); }},
    {"bool", [](R r, V v) { r.required("value", as<RenderedBool>(v).value); }},
    {"char", [](R r, V v) { r.required("value", as<RenderedChar>(v).value); }},
    {"float",
     [](R r, V v) {
       auto& out = as<RenderedFloat>(v);
       r.required("bits", out.bits), read_float(r, out.value);
     }},
    {"enum", [](R r, V v) { read_enum(r, as<RenderedEnum>(v)); }},
    {"struct",
     [](R r, V v) {
       auto& out = as<RenderedStruct>(v);
       r.optional("type_name", out.type_name).required("members", out.members);
     }},
    {"array", read_array},
    {"cpu_list", [](R r, V v) { r.required("cpus", as<RenderedCpuList>(v).cpus); }},
    {"ptr", [](R r, V v) { read_pointer(r, as<RenderedPtr>(v)); }},
    {"bytes", [](R r, V v) { r.required("hex", as<RenderedBytes>(v).hex); }},
    {"truncated", [](R r, V v) { read_truncated(r, as<RenderedTruncated>(v)); }},
    {"unsupported", [](R r, V v) { r.required("reason", as<RenderedUnsupported>(v).reason); }},
};

ReadStatus read_value(const Value& value, RenderedValue& out, const ReadPlace& place, int depth) {
  const auto* object = value.get_if<Value::Object>();
  if (object == nullptr) return detail::wrong_kind(value, "a rendered value", place);
  if (depth > kMaxReadDepth) return place.error("nested too deeply");
  KindReader reader(*object, place, depth);
  std::string name;
  reader.required("kind", name);
  for (const Kind& kind : kKinds) {
    if (kind.name != name) continue;
    kind.read(reader, out);
    return std::move(reader).status();
  }
  reader.fail(place.error("unknown kind \"" + name + '"'));
  return std::move(reader).status();
}

}  // namespace

ReadStatus CustomReader<introspect::RenderedValue>::read(const Value& value, introspect::RenderedValue& out,
                                                         const ReadPlace& place, MissingMembers) {
  return read_value(value, out, place, 0);
}

}  // namespace ktstr
