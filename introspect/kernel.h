// Kernel: one running guest kernel, found in its memory: symbols with the slide applied, per-CPU addresses,
// typed reads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/address.h"
#include "engine/base/cpu_set.h"
#include "engine/base/result.h"
#include "introspect/btf.h"
#include "introspect/kernel_image.h"
#include "introspect/memory.h"

namespace ktstr::introspect {

class SymbolTable;
class Translator;

/// What is known of a kernel build before it runs: link-time symbols and BTF. Immutable; shared by all guests
/// of that build.
class KernelDebugInfo {
 public:
  /// Reads a symbol index (SymbolTable::load) and a file with the raw .BTF section.
  [[nodiscard]] static Result<std::shared_ptr<const KernelDebugInfo>> load(
      const std::filesystem::path& symbols_file, const std::filesystem::path& btf_file);
  KernelDebugInfo(SymbolTable symbols, Btf btf);
  ~KernelDebugInfo();

  [[nodiscard]] const SymbolTable& symbols() const { return *symbols_; }
  [[nodiscard]] const Btf& btf() const { return btf_; }

 private:
  std::unique_ptr<const SymbolTable> symbols_;
  Btf btf_;
};

/// A runtime address as a person reads it: "schedule+0x1c".
struct NamedAddress {
  std::string_view name;  ///< lives as long as the Kernel
  std::uint64_t offset = 0;
};

/// A guest kernel attached to. Movable; const use is safe from several threads. Memory may change under it at
/// any time.
class Kernel {
 public:
  /// Finds the kernel image in memory without the guest's help (see locate_kernel_image()) and reads what
  /// places everything else: page_offset_base, __per_cpu_offset, the CPU masks. `memory` must outlive the
  /// Kernel; `vcpus` may be empty. Errors: kNotFound, nothing in memory matches the debug info (names what
  /// was tried); kCorrupt, what was found contradicts itself.
  [[nodiscard]] static Result<Kernel> attach(const PhysicalMemory& memory,
                                             std::shared_ptr<const KernelDebugInfo> debug_info,
                                             std::span<const CpuContext> vcpus);

  /// The same kernel for as long as the guest stands still: reads remember every translation. Not to be used
  /// once it runs.
  [[nodiscard]] Kernel of_still_guest() const;

  [[nodiscard]] const KernelDebugInfo& debug_info() const { return *debug_info_; }
  [[nodiscard]] const SymbolTable& symbols() const { return debug_info_->symbols(); }
  [[nodiscard]] const Btf& btf() const { return debug_info_->btf(); }
  /// The same, for those who keep it beyond the Kernel's life.
  [[nodiscard]] std::shared_ptr<const Btf> shared_btf() const { return {debug_info_, &debug_info_->btf()}; }
  [[nodiscard]] const Translator& translator() const { return *translator_; }
  [[nodiscard]] const KernelImage& image() const { return image_; }
  /// Where the kernel maps physical address 0 (PAGE_OFFSET, randomized).
  [[nodiscard]] KernelVirt page_offset() const { return page_offset_; }
  /// The array of struct page (vmemmap).
  [[nodiscard]] KernelVirt vmemmap_base() const { return vmemmap_base_; }
  /// "Linux version 7.3.4 ... #1 SMP ...", without the newline.
  [[nodiscard]] const std::string& banner() const { return banner_; }

  /// The runtime address of a symbol. A zero-based per-CPU symbol (x86 before 6.15) is not an address but an
  /// offset and comes back as it is: give it to per_cpu(). kNotFound: no such symbol.
  [[nodiscard]] Result<KernelVirt> address(std::string_view symbol) const;
  /// The same of a symbol that not every kernel has.
  [[nodiscard]] std::optional<KernelVirt> known_address(std::string_view symbol) const {
    const auto found = address(symbol);
    return found ? std::optional(*found) : std::nullopt;
  }
  /// CPU `cpu`'s copy of a per-CPU symbol. kNotFound: no such symbol; kInvalidArgument: not in the per-CPU
  /// section; kOutOfRange: `cpu` is not a possible CPU.
  [[nodiscard]] Result<KernelVirt> per_cpu(std::string_view symbol, std::size_t cpu) const;
  /// CPU `cpu`'s copy of what a per-CPU pointer (alloc_percpu, or a per-CPU symbol's address()) stands for.
  [[nodiscard]] Result<KernelVirt> per_cpu(KernelVirt pointer, std::size_t cpu) const;

  /// One more than the highest possible CPU number.
  [[nodiscard]] std::size_t nr_cpu_ids() const { return per_cpu_offsets_.size(); }
  [[nodiscard]] const CpuSet& possible_cpus() const { return possible_cpus_; }
  /// The CPUs online now. nullopt when the mask can't be read.
  [[nodiscard]] std::optional<CpuSet> online_cpus() const;
  /// Any `struct cpumask` of this kernel, at most nr_cpu_ids bits of it. nullopt when it can't be read.
  [[nodiscard]] std::optional<CpuSet> read_cpu_mask(KernelVirt address) const;

  /// The function or variable that a runtime address lies in; nullopt outside the kernel image.
  [[nodiscard]] std::optional<NamedAddress> symbolize(KernelVirt address) const;
  /// Where the direct map shows a physical address.
  [[nodiscard]] KernelVirt direct_map(GuestPhys address) const { return page_offset_ + address.value(); }

  /// As Translator's, through the kernel's own page table.
  [[nodiscard]] bool read_bytes(KernelVirt address, std::span<std::byte> out) const;
  [[nodiscard]] std::optional<std::string> read_c_string(KernelVirt address, std::size_t cap) const;
  template <class T>
  [[nodiscard]] std::optional<T> read(KernelVirt address) const {
    return read_value<T>(*this, address);
  }
  /// See PagingMode::plausible_pointer().
  [[nodiscard]] bool plausible_pointer(KernelVirt address, std::uint64_t alignment = 8) const {
    return image_.page_table.mode->plausible_pointer(address, alignment);
  }
  /// The T at a symbol. Errors: kNotFound, no such symbol; kOutOfRange, unreadable.
  template <class T>
  [[nodiscard]] Result<T> read_symbol(std::string_view symbol) const {
    const KernelVirt place = KTSTR_TRY(address(symbol));
    if (const auto value = read<T>(place)) return *value;
    return unreadable(symbol);
  }

 private:
  Kernel(const PhysicalMemory& memory, std::shared_ptr<const KernelDebugInfo> debug_info, KernelImage image);

  [[nodiscard]] static Error unreadable(std::string_view symbol);
  [[nodiscard]] Status find_direct_map();
  [[nodiscard]] Status check_build() const;
  [[nodiscard]] Status read_cpus();

  std::shared_ptr<const KernelDebugInfo> debug_info_;
  KernelImage image_;
  std::shared_ptr<const Translator> translator_;
  KernelVirt page_offset_;
  KernelVirt vmemmap_base_;
  std::string banner_;
  CpuSet possible_cpus_;
  std::vector<std::uint64_t> per_cpu_offsets_;  ///< by CPU number
};

}  // namespace ktstr::introspect
