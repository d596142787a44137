#include "tests/introspect/dump/same_type.h"

#include <algorithm>

namespace ktstr::introspect::test {
namespace {

/// One overload for each pair of alternatives that can be of one type; the template is for all others.
struct SameType {
  template <class Model, class Shown>
  bool operator()(const Model&, const Shown&) const {
    return false;
  }
  bool operator()(const RenderedInt& model, const RenderedInt& shown) const {
    return model.bits == shown.bits;
  }
  bool operator()(const RenderedUint& model, const RenderedUint& shown) const {
    return model.bits == shown.bits;
  }
  bool operator()(const RenderedBool&, const RenderedBool&) const { return true; }
  /// A bool whose byte is neither 0 nor 1.
  bool operator()(const RenderedBool&, const RenderedUint& shown) const { return shown.bits == 8; }
  /// An integer that is a pointer in disguise.
  bool operator()(const RenderedUint& model, const RenderedPtr& shown) const {
    return model.bits == 64 && shown.target && shown.target->cast_annotation;
  }
  bool operator()(const RenderedChar&, const RenderedChar&) const { return true; }
  bool operator()(const RenderedFloat& model, const RenderedFloat& shown) const {
    return model.bits == shown.bits;
  }
  bool operator()(const RenderedEnum& model, const RenderedEnum& shown) const {
    return model.bits == shown.bits && model.is_signed == shown.is_signed;
  }
  bool operator()(const RenderedText& model, const RenderedText& shown) const {
    return model.len == shown.len;
  }
  bool operator()(const RenderedCpuList&, const RenderedCpuList&) const { return true; }
  bool operator()(const RenderedPtr&, const RenderedPtr&) const { return true; }
  bool operator()(const RenderedBytes& model, const RenderedBytes& shown) const {
    return model.hex.size() == shown.hex.size();
  }
  /// 128 bits that are more than a number of 64.
  bool operator()(const RenderedInt& model, const RenderedBytes&) const { return model.bits == 128; }
  bool operator()(const RenderedUint& model, const RenderedBytes&) const { return model.bits == 128; }
  bool operator()(const RenderedUnsupported& model, const RenderedUnsupported& shown) const {
    return model.reason == shown.reason;
  }
  bool operator()(const RenderedTruncated& model, const RenderedTruncated& shown) const {
    return model.needed == shown.needed && model.had == shown.had &&
           same_type(*model.partial, *shown.partial);
  }
  bool operator()(const RenderedArray& model, const RenderedArray& shown) const {
    const auto both = std::min(model.elements.size(), shown.elements.size());
    return model.len == shown.len && std::equal(model.elements.begin(), model.elements.begin() + both,
                                                shown.elements.begin(), same_type);
  }
  bool operator()(const RenderedStruct& model, const RenderedStruct& shown) const {
    const auto same = [](const RenderedMember& a, const RenderedMember& b) {
      return a.name == b.name && same_type(a.value, b.value);
    };
    const auto both = std::min(model.members.size(), shown.members.size());
    return model.type_name == shown.type_name &&
           std::equal(model.members.begin(), model.members.begin() + both, shown.members.begin(), same);
  }
};

bool at_limit(const RenderedValue& value) {
  const auto* unsupported = value.get_if<RenderedUnsupported>();
  return unsupported && unsupported->reason.starts_with("more than ");
}

}  // namespace

bool same_type(const RenderedValue& model, const RenderedValue& shown) {
  return at_limit(shown) || std::visit(SameType(), model.data, shown.data);
}

}  // namespace ktstr::introspect::test
