// BootedGuests: guests that were ready once, kept for later runs that boot alike.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
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

/// Everything that a guest's boot depends on. Guests of equal keys are alike once they are ready.
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
  vmm::MachineConfig machine;               ///< without its files
  vmm::Backend backend{};
  friend bool operator==(const BootKey&, const BootKey&) = default;
};

/// The key of a machine of this configuration with these files beside the agent. What the configuration says
/// of the initramfs and the console does not count. Errors: kNotFound or kIo for a file.
[[nodiscard]] Result<BootKey> boot_key(const vmm::MachineConfig& config,
                                       std::span<const vmm::InitramfsFile> files, vmm::Backend backend);

/// A guest whose agent has said hello and has not been asked anything: its channel is idle.
struct ReadyGuest {
  std::unique_ptr<const vmm::MachineSnapshot> snapshot;
  std::string kernel_release;  ///< what hello told
};

/// What is kept and for how long follows from the runs that are planned: nothing is kept of a guest that no
/// later run boots like. Thread-safe.
class BootedGuests {
 public:
  /// Each takes as much memory as its guest had touched, about 90 MB of 512.
  static constexpr std::size_t kMostSnapshots = 3;

  /// `planned`: the keys of the runs to come, in any order, one for each run.
  explicit BootedGuests(const std::vector<BootKey>& planned, std::size_t most = kMostSnapshots);

  /// A run begins: it is no longer to come. What it can fork, nullptr when it has to boot. What is given
  /// lives as long as the caller holds it; the last planned run of a key leaves nothing behind.
  [[nodiscard]] std::shared_ptr<const ReadyGuest> begin_run(const BootKey& key);

  /// Whether a run to come could fork a guest of this key, and there is none.
  [[nodiscard]] bool wants(const BootKey& key) const;

  /// Keeps a guest, unless it is not wanted. When there are too many, the one whose last use is longest ago
  /// goes; wants() then asks for it again.
  void add(const BootKey& key, ReadyGuest guest);

  /// Forgets the guest of this key, which proved to be of no use; wants() asks for another.
  void discard(const BootKey& key);

  /// How many guests are kept.
  [[nodiscard]] std::size_t size() const;

 private:
  struct Entry {
    BootKey key;
    std::size_t runs_to_come = 0;
    std::shared_ptr<const ReadyGuest> guest{};
    std::uint64_t last_use = 0;  ///< of the guest: a number of uses_
  };

  [[nodiscard]] Entry* find(const BootKey& key);
  [[nodiscard]] const Entry* find(const BootKey& key) const;
  void evict();

  const std::size_t most_;
  mutable std::mutex mutex_;
  std::vector<Entry> entries_;
  std::uint64_t uses_ = 0;
};

}  // namespace ktstr::engine
