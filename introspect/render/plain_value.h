// The plain form of a RenderedValue, for scripts: `snapshot.task_ctx.weight` is a number, not a tagged
// object.
#pragma once

#include "engine/base/printable.h"
#include "engine/base/write.h"
#include "introspect/render/rendered_value.h"

namespace ktstr::introspect {

/// What a script sees in place of `value`, as SAX events: numbers, booleans, enumerator names (the number
/// when unknown), texts up to their NUL, structs as objects (anonymous members lifted into them), arrays as
/// lists, CPU masks as "0-3", a pointer as what it points to or else its number, raw bytes as hex, what can't
/// be shown as null. A sink with a method Address(number) gets pointers apart from other numbers. Kinds and
/// widths are lost: for files use the JSON form.
template <class Sink>
class PlainWriter {
 public:
  explicit PlainWriter(Sink& sink) : sink_(sink) {}

  void write(const RenderedValue& value) {
    std::visit([this](const auto& kind) { this->write_kind(kind); }, value.data);
  }

 private:
  template <class Scalar>
  requires requires(const Scalar& scalar) { scalar.value; }
  void write_kind(const Scalar& scalar) { ktstr::write(sink_, scalar.value); }
  void write_kind(const RenderedEnum& kind) {
    if (kind.variant) return ktstr::write(sink_, *kind.variant);
    kind.is_signed ? ktstr::write(sink_, kind.value)
                   : ktstr::write(sink_, static_cast<std::uint64_t>(kind.value));
  }
  void write_kind(const RenderedStruct& kind) {
    sink_.StartObject();
    const unsigned count = write_members(kind);
    sink_.EndObject(count);
  }
  unsigned write_members(const RenderedStruct& kind) {
    unsigned count = 0;
    for (const RenderedMember& member : kind.members) {
      const auto* inner = member.value.get_if<RenderedStruct>();
      if (member.name.empty() && inner) {
        count += write_members(*inner);
        continue;
      }
      ktstr::detail::write_key(sink_, member.name);
      write(member.value);
      ++count;
    }
    return count;
  }
  void write_kind(const RenderedArray& kind) {
    sink_.StartArray();
    for (const RenderedValue& element : kind.elements) write(element);
    sink_.EndArray(static_cast<rapidjson::SizeType>(kind.elements.size()));
  }
  void write_kind(const RenderedText& kind) { ktstr::write(sink_, printable(kind.c_string())); }
  void write_kind(const RenderedCpuList& kind) { ktstr::write(sink_, kind.cpus); }
  void write_kind(const RenderedPtr& kind) {
    if (kind.target && kind.target->deref) return write(*kind.target->deref);
    if constexpr (requires { sink_.Address(kind.value); })
      sink_.Address(kind.value);
    else
      ktstr::write(sink_, kind.value);
  }
  void write_kind(const RenderedBytes& kind) { ktstr::write(sink_, kind.hex); }
  void write_kind(const RenderedTruncated& kind) { kind.partial ? write(*kind.partial) : void(sink_.Null()); }
  void write_kind(const RenderedUnsupported&) { sink_.Null(); }

  Sink& sink_;
};

template <class Sink>
void write_plain(Sink& sink, const RenderedValue& value) {
  PlainWriter<Sink>(sink).write(value);
}

}  // namespace ktstr::introspect
