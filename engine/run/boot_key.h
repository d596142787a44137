// BootKey: everything that a guest's boot depends on. Guests of equal keys are alike once they are ready.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "engine/base/result.h"
#include "vmm/backend.h"
#include "vmm/initramfs.h"
#include "vmm/machine.h"

namespace ktstr::engine {

/// A file and its last change: whoever writes to a file, whatever times he sets, changes ctime.
struct FileState {
  std::uint64_t device = 0, inode = 0, size = 0;
  std::int64_t ctime_ns = 0;
  /// Errors: kNotFound, kIo.
  [[nodiscard]] static Result<FileState> of(const std::filesystem::path& path);
  friend bool operator==(const FileState&, const FileState&) = default;
};

struct BootKey {
  /// A file of the initramfs; the agent, which is the same in all, is not among them.
  struct File {
    std::string path;
    std::variant<FileState, std::vector<std::byte>> content;
    std::uint32_t mode = 0;
    friend bool operator==(const File&, const File&) = default;
  };

  FileState kernel_elf;
  std::optional<FileState> kernel_bzimage;  ///< none when the kernel was added as an ELF
  std::vector<File> files;                  ///< in the order given
  vmm::Topology topology;
  ByteSize memory;
  vmm::Accelerator accelerator{};
  std::optional<std::uint32_t> tick_rate;
  bool kaslr = false;
  bool nested_virtualization = false;
  std::vector<std::string> kernel_args;
  vmm::PerformanceOptions performance;
  vmm::Backend backend{};
  friend bool operator==(const BootKey&, const BootKey&) = default;
};

/// The key of a machine of this configuration with these files beside the agent. What the configuration says
/// of the initramfs and the console does not count. Errors: kNotFound or kIo for a file.
[[nodiscard]] Result<BootKey> boot_key(const vmm::MachineConfig& config,
                                       std::span<const vmm::InitramfsFile> files, vmm::Backend backend);

}  // namespace ktstr::engine
