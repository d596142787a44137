#include "engine/run/boot_key.h"

#include <sys/stat.h>

namespace ktstr::engine {
namespace {

Result<BootKey::File> key_of(const vmm::InitramfsFile& file) {
  BootKey::File key{.path = file.path, .content = {}, .mode = file.mode};
  if (const auto* host_file = std::get_if<std::filesystem::path>(&file.content))
    key.content = KTSTR_TRY(FileState::of(*host_file));
  else
    key.content = std::get<std::vector<std::byte>>(file.content);
  return key;
}

}  // namespace

Result<FileState> FileState::of(const std::filesystem::path& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return system_error("look at " + path.string());
  return FileState{.device = status.st_dev,
                   .inode = status.st_ino,
                   .size = static_cast<std::uint64_t>(status.st_size),
                   .ctime_ns = status.st_ctim.tv_sec * std::int64_t{1'000'000'000} + status.st_ctim.tv_nsec};
}

Result<BootKey> boot_key(const vmm::MachineConfig& config, std::span<const vmm::InitramfsFile> files,
                         vmm::Backend backend) {
  // A new member of the configuration does not compile here until it is thought of.
  const auto& [elf, bzimage, initramfs, topology, memory, accelerator, tick_rate, kaslr, nested, args,
               console, performance] = config;
  BootKey key;
  key.kernel_elf = KTSTR_TRY(FileState::of(elf));
  if (!bzimage.empty()) key.kernel_bzimage = KTSTR_TRY(FileState::of(bzimage));
  for (const auto& file : files) key.files.push_back(KTSTR_TRY(key_of(file)));
  key.topology = topology;
  key.memory = memory;
  key.accelerator = accelerator;
  key.tick_rate = tick_rate;
  key.kaslr = kaslr;
  key.nested_virtualization = nested;
  key.kernel_args = args;
  key.performance = performance;
  key.backend = backend;
  return key;
}

}  // namespace ktstr::engine
