// SyntheticGuest: physical memory with page tables, a kernel image and per-CPU areas, as Kernel::attach()
// expects them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/check.h"
#include "introspect/kernel.h"
#include "introspect/span_memory.h"

namespace ktstr::introspect::test {

/// An x86-64 guest with 4-level paging: a 2 MB image and a direct map of all RAM in 2 MB pages. Symbols are
/// added before attach(); memory may be allocated and written at any time.
class SyntheticGuest {
 public:
  /// `cpus` are possible and online.
  SyntheticGuest(std::vector<std::byte> btf, std::size_t cpus, std::size_t ram_bytes = 16U << 20);

  /// A variable of the kernel image, zeroed. Returns its address.
  KernelVirt add_symbol(const std::string& name, std::size_t bytes);
  /// A per-CPU variable; its address is a per-CPU pointer.
  KernelVirt add_per_cpu_symbol(const std::string& name, std::size_t bytes);
  /// Zeroed memory in the direct map, aligned to 64 bytes.
  KernelVirt allocate(std::size_t bytes);
  /// Zeroed memory of every CPU; returns the per-CPU pointer.
  KernelVirt allocate_per_cpu(std::size_t bytes);
  /// CPU `cpu`'s copy.
  [[nodiscard]] KernelVirt per_cpu(KernelVirt pointer, std::size_t cpu) const;

  /// The bytes at an address of the image or the direct map.
  [[nodiscard]] std::byte* at(KernelVirt address);
  template <class T>
  void write(KernelVirt address, const T& value) {
    std::memcpy(at(address), &value, sizeof(value));
  }
  /// Writes a member of the structure at `base`, placed by BTF.
  template <class T>
  void set(KernelVirt base, std::string_view structure, std::string_view path, const T& value) {
    const auto member = btf_.member(*btf_.find_struct(structure), path);
    KTSTR_CHECK(member && member->size_bytes == sizeof(T));
    write(base + member->byte_offset(), value);
  }
  [[nodiscard]] std::size_t size_of(std::string_view structure) const;
  /// A symbol added before. Precondition: there is one.
  [[nodiscard]] KernelVirt symbol(const std::string& name) const { return symbols_.at(name); }
  KernelVirt add_string(std::string_view text);

  [[nodiscard]] const Btf& btf() const { return btf_; }
  [[nodiscard]] std::size_t cpus() const { return cpus_; }
  [[nodiscard]] const PhysicalMemory& memory() const { return memory_; }

  /// The guest must outlive the kernel. No symbols are added afterwards.
  [[nodiscard]] Kernel attach() const { return attach(memory_); }
  /// The same through another view of this guest's memory.
  [[nodiscard]] Kernel attach(const PhysicalMemory& memory) const;

 private:
  void build_page_tables();
  void build_per_cpu_areas();

  std::vector<std::byte> btf_bytes_;
  Btf btf_;
  std::size_t cpus_;
  std::vector<std::byte> ram_;
  SpanMemory memory_;
  std::map<std::string, KernelVirt> symbols_;
  std::uint64_t image_used_ = 0;
  std::uint64_t heap_used_ = 0;
  KernelVirt per_cpu_start_;
  std::uint64_t per_cpu_used_ = 0;
  std::vector<KernelVirt> areas_;
};

}  // namespace ktstr::introspect::test
