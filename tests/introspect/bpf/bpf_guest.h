// BpfGuest: a synthetic guest with BPF maps and programs that a test builds by hand.
#pragma once

#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "introspect/bpf/layouts.h"
#include "introspect/bpf/map_list.h"
#include "introspect/bpf/read_map.h"
#include "introspect/kernel.h"
#include "tests/introspect/sched/synthetic_guest.h"

namespace ktstr::introspect::test {

/// What a map is made with.
struct MapShape {
  std::string name;
  std::uint32_t type = 0;
  std::uint32_t key_size = 4;
  std::uint32_t value_size = 8;
  std::uint32_t max_entries = 1;
};

/// A guest of two CPUs whose BTF has the BPF structures in a small form. Maps and programs get the ids 1, 2,
/// 3 ... in the order they are added, at most 63 of each.
class BpfGuest {
 public:
  static constexpr std::size_t kCpus = 2;
  /// A kernel pointer to nothing.
  static constexpr KernelVirt kUnmapped{0xffff'8880'7000'0000};

  BpfGuest();

  [[nodiscard]] SyntheticGuest& memory() { return guest_; }
  [[nodiscard]] Kernel attach() const { return guest_.attach(); }
  [[nodiscard]] BpfLayouts layouts() const { return BpfLayouts::resolve(guest_.btf()).value(); }

  /// Allocates `structure` with `tail` bytes after it, fills its struct bpf_map and links it into map_idr.
  KernelVirt add_map(const std::string& structure, const MapShape& shape, std::size_t tail = 0);
  /// Links a program of the given type into prog_idr; returns the struct bpf_prog.
  KernelVirt add_program(const std::string& name, std::uint32_t type,
                         const std::vector<KernelVirt>& used_maps);
  /// A struct btf with these bytes.
  KernelVirt add_btf(std::span<const std::byte> bytes, KernelVirt base = {}, std::string_view name = "prog");

  KernelVirt add_array(const MapShape& shape, const std::vector<std::uint64_t>& values);
  /// A hash table of u32 keys and u64 values with its buckets; fill it with add_element().
  KernelVirt add_hash(const MapShape& shape);
  /// Puts an element at the front of the bucket that `hash` belongs to; returns its node.
  KernelVirt add_element(KernelVirt table, std::uint32_t hash, std::uint32_t key, std::uint64_t value);
  [[nodiscard]] KernelVirt bucket(KernelVirt table, std::uint32_t index);

  /// Where a member of a structure is.
  [[nodiscard]] KernelVirt place(KernelVirt base, std::string_view structure, std::string_view path) const;
  template <class T>
  void set(KernelVirt base, std::string_view structure, std::string_view path, const T& value) {
    guest_.set(base, structure, path, value);
  }
  template <class T>
  [[nodiscard]] T get(KernelVirt address) {
    T value;
    std::memcpy(&value, guest_.at(address), sizeof(T));
    return value;
  }
  void set_name(KernelVirt place, std::string_view name);
  [[nodiscard]] BpfMapInfo info(KernelVirt map) const;

 private:
  void link(const std::string& idr, std::uint32_t id, KernelVirt object);

  SyntheticGuest guest_;
  std::uint32_t maps_ = 0;
  std::uint32_t programs_ = 0;
};

/// Bytes as the number they are.
template <class T>
[[nodiscard]] T number(std::span<const std::byte> bytes) {
  T value{};
  KTSTR_CHECK(bytes.size() == sizeof(T));
  std::memcpy(&value, bytes.data(), sizeof(T));
  return value;
}

}  // namespace ktstr::introspect::test
