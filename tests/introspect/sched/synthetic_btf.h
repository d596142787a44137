// SyntheticBtf: kernel type information made by a test, through libbpf's own writer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

struct btf;

namespace ktstr::introspect::test {

/// The next multiple of `alignment`.
inline std::uint64_t align_up(std::uint64_t value, std::uint64_t alignment) {
  return (value + alignment - 1) / alignment * alignment;
}

/// Structures are laid out like C's: members in order, naturally aligned. Types are libbpf's numbers.
class SyntheticBtf {
 public:
  struct Member {
    std::string name;
    int type;
  };

  SyntheticBtf();
  ~SyntheticBtf();
  SyntheticBtf(const SyntheticBtf&) = delete;
  SyntheticBtf& operator=(const SyntheticBtf&) = delete;

  int u8, s32, u32, s64, u64, pointer;

  [[nodiscard]] int array(int element, std::uint32_t count);
  int add_struct(const std::string& name, const std::vector<Member>& members);
  void add_enum(const std::string& name, const std::vector<std::pair<std::string, std::int64_t>>& values);

  /// The bytes of the .BTF section.
  [[nodiscard]] std::vector<std::byte> bytes() const;

 private:
  btf* btf_;
};

}  // namespace ktstr::introspect::test
