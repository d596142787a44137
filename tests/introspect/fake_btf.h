// FakeBtf: type information written by a test, through libbpf's own writer.
#pragma once

#include <bpf/btf.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "introspect/btf.h"

namespace ktstr::introspect::test {

/// Types are libbpf's numbers; the raw handle is there for what has no shorthand.
class FakeBtf {
 public:
  struct Member {
    const char* name;  ///< nullptr: anonymous
    int type;
    std::uint32_t bit_offset;
    std::uint32_t bits = 0;
  };

  [[nodiscard]] btf* handle() const { return handle_.get(); }

  int integer(const char* name, std::size_t bytes) { return btf__add_int(handle(), name, bytes, 0); }
  int pointer(int type) { return btf__add_ptr(handle(), type); }
  int alias(const char* name, int type) { return btf__add_typedef(handle(), name, type); }
  int array(int type, std::uint32_t count) { return btf__add_array(handle(), 0, type, count); }
  int structure(const char* name, std::uint32_t bytes, const std::vector<Member>& members) {
    return composite(btf__add_struct(handle(), name, bytes), members);
  }
  int variant(const char* name, std::uint32_t bytes, const std::vector<Member>& members) {
    return composite(btf__add_union(handle(), name, bytes), members);
  }
  int enumeration(const char* name, const std::vector<std::pair<const char*, std::int64_t>>& values) {
    const int id = btf__add_enum(handle(), name, 4);
    for (const auto& [label, value] : values) btf__add_enum_value(handle(), label, value);
    return id;
  }

  [[nodiscard]] std::vector<std::byte> bytes() const {
    std::uint32_t size = 0;
    const auto* data = static_cast<const std::byte*>(btf__raw_data(handle(), &size));
    return {data, data + size};
  }
  [[nodiscard]] Btf parsed() const { return Btf::parse(bytes()).value(); }

 private:
  struct Free {
    void operator()(btf* handle) const { btf__free(handle); }
  };
  int composite(int id, const std::vector<Member>& members) {
    for (const Member& member : members)
      btf__add_field(handle(), member.name, member.type, member.bit_offset, member.bits);
    return id;
  }

  std::unique_ptr<btf, Free> handle_{btf__new_empty()};
};

}  // namespace ktstr::introspect::test
