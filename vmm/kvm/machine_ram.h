// A machine's RAM: where its banks lie in the guest-physical space, and RamFiller, which puts bytes there.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "engine/base/address.h"
#include "engine/base/mapped_file.h"
#include "engine/base/result.h"
#include "vmm/guest_ram.h"
#include "vmm/machine.h"

namespace ktstr::vmm::kvm {

/// A part of a bank (of one NUMA node) that is contiguous for the guest.
struct RamPart {
  std::size_t bank = 0;
  MemoryRegion region;
};

/// Lays the banks end to end from address 0, around the hole below 4 GiB. Ascending by base.
[[nodiscard]] std::vector<RamPart> lay_out_ram(std::span<const std::span<std::byte>> banks);

/// Puts bytes into a machine's memory before it runs, without touching more of it than needed.
class RamFiller {
 public:
  /// `ram` is GuestRam::create()'s, laid out as `parts`; both must outlive this.
  RamFiller(GuestRam& ram, std::span<const RamPart> parts) : ram_(ram), parts_(parts) {}

  /// Bytes of this file that are put from here on are mapped, where their pages fall together with the
  /// guest's. It must outlive this.
  void add_source(const MappedFile& file) { sources_.push_back(&file); }

  /// Maps what is of a source and large enough, and writes the rest through the banks' memfds, which saves
  /// the faults of writing through a mapping. Errors: kIo; kOutOfRange for what is no RAM.
  [[nodiscard]] Status put(GuestPhys at, std::span<const std::byte> bytes);

 private:
  [[nodiscard]] Status put_into(const RamPart& part, std::size_t bank_offset,
                                std::span<const std::byte> bytes);
  /// Files of reserved huge pages can't be written to, but through their mapping.
  [[nodiscard]] Status write(std::size_t bank, std::size_t offset, std::span<const std::byte> bytes);
  [[nodiscard]] const MappedFile* source_of(std::span<const std::byte> bytes) const;

  GuestRam& ram_;
  std::span<const RamPart> parts_;
  std::vector<const MappedFile*> sources_;
};

}  // namespace ktstr::vmm::kvm
