// The files that a cached kernel has beside its image, made of its vmlinux.
#pragma once

#include <filesystem>
#include <memory>

#include "engine/base/result.h"
#include "vmm/kernels/metadata.h"

namespace ktstr::engine {

inline constexpr std::string_view kSymbolsFile = "symbols";  ///< introspect::SymbolTable's index file
inline constexpr std::string_view kBtfFile = "btf";          ///< the raw .BTF section

/// Makes the symbol index and the BTF file beside `directory`/vmlinux, and `config` where the kernel holds
/// its own (IKCONFIG), whatever was there; see vmm::CompleteEntry. Errors: kInvalidArgument for a kernel that
/// the agent can't run on; a kernel without symbols or BTF.
[[nodiscard]] Status complete_entry(const std::filesystem::path& directory, vmm::KernelMetadata& metadata);

/// Symbol index and BTF that nobody can find but by these paths; gone with the last copy.
struct PrivateFiles {
  std::filesystem::path symbols, btf;
  std::shared_ptr<const void> owner;
};

/// The same of a kernel whose entry can't be written to.
[[nodiscard]] Result<PrivateFiles> make_private_files(const std::filesystem::path& vmlinux,
                                                      vmm::KernelMetadata metadata);

}  // namespace ktstr::engine
