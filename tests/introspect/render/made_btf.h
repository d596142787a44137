// MadeBtf: type information of every kind, made by a test through libbpf's own writer.
#pragma once

#include <bpf/btf.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "engine/base/check.h"
#include "introspect/btf.h"

namespace ktstr::introspect::test {

/// Types are libbpf's numbers. Offsets are given in bits, as in the table.
class MadeBtf {
 public:
  struct Member {
    const char* name;
    int type;
    std::uint32_t bit_offset;
    std::uint32_t bits = 0;
  };

  MadeBtf() : btf_(btf__new_empty()) { KTSTR_CHECK(btf_ != nullptr); }
  ~MadeBtf() { btf__free(btf_); }
  MadeBtf(const MadeBtf&) = delete;
  MadeBtf& operator=(const MadeBtf&) = delete;

  [[nodiscard]] btf* raw() { return btf_; }

  int integer(const char* name, std::size_t bytes, int encoding = 0) {
    return btf__add_int(btf_, name, bytes, encoding);
  }
  int u32() { return integer("unsigned int", 4); }
  int u64() { return integer("unsigned long", 8); }
  int array(int element, std::uint32_t count) { return btf__add_array(btf_, index(), element, count); }
  int pointer(int to) { return btf__add_ptr(btf_, to); }
  int structure(const char* name, std::uint32_t bytes, const std::vector<Member>& members) {
    return fill(btf__add_struct(btf_, name, bytes), members);
  }
  int union_of(const char* name, std::uint32_t bytes, const std::vector<Member>& members) {
    return fill(btf__add_union(btf_, name, bytes), members);
  }
  int datasec(const char* name, std::uint32_t bytes) { return btf__add_datasec(btf_, name, bytes); }
  /// Adds a variable to the datasec that was added last.
  static int variable(btf* handle, const char* name, int type) {
    return btf__add_var(handle, name, BTF_VAR_GLOBAL_ALLOCATED, type);
  }

  [[nodiscard]] std::vector<std::byte> bytes() const {
    std::uint32_t size = 0;
    const void* data = btf__raw_data(btf_, &size);
    std::vector<std::byte> copy(size);
    std::memcpy(copy.data(), data, size);
    return copy;
  }
  [[nodiscard]] Btf parse() const {
    auto parsed = Btf::parse(bytes());
    KTSTR_CHECK(parsed.has_value());
    return std::move(*parsed);
  }

 private:
  int index() {
    if (index_ == 0) index_ = integer("__ARRAY_SIZE_TYPE__", 4);
    return index_;
  }
  int fill(int type, const std::vector<Member>& members) {
    KTSTR_CHECK(type > 0);
    for (const Member& member : members)
      KTSTR_CHECK(btf__add_field(btf_, member.name, member.type, member.bit_offset,
                                 static_cast<int>(member.bits)) == 0);
    return type;
  }

  btf* btf_;
  int index_ = 0;
};

inline BtfTypeId id(int type) {
  return BtfTypeId{static_cast<std::uint32_t>(type)};
}

/// The bytes of some values after each other.
template <class... T>
std::vector<std::byte> bytes_of(const T&... values) {
  std::vector<std::byte> result;
  const auto append = [&result](const auto& value) {
    const auto* data = reinterpret_cast<const std::byte*>(&value);
    result.insert(result.end(), data, data + sizeof(value));
  };
  (append(values), ...);
  return result;
}

}  // namespace ktstr::introspect::test
