#include "engine/run/booted_guests.h"

#include <sys/stat.h>

#include <algorithm>

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
  BootKey key{.kernel_elf = KTSTR_TRY(FileState::of(config.kernel_elf)),
              .kernel_bzimage = {},
              .files = {},
              .machine = config,
              .backend = backend};
  if (!config.kernel_bzimage.empty()) key.kernel_bzimage = KTSTR_TRY(FileState::of(config.kernel_bzimage));
  for (const auto& file : files) key.files.push_back(KTSTR_TRY(key_of(file)));
  auto& machine = key.machine;
  for (auto* path : {&machine.kernel_elf, &machine.kernel_bzimage, &machine.initramfs, &machine.console_log})
    path->clear();
  return key;
}

BootedGuests::BootedGuests(const std::vector<BootKey>& planned, std::size_t most) : most_(most) {
  for (const auto& key : planned) {
    auto* entry = find(key);
    if (!entry) entry = &entries_.emplace_back(Entry{.key = key});
    ++entry->runs_to_come;
  }
}

const BootedGuests::Entry* BootedGuests::find(const BootKey& key) const {
  const auto entry = std::ranges::find(entries_, key, &Entry::key);
  return entry == entries_.end() ? nullptr : &*entry;
}

BootedGuests::Entry* BootedGuests::find(const BootKey& key) {
  return const_cast<Entry*>(std::as_const(*this).find(key));
}

std::shared_ptr<const ReadyGuest> BootedGuests::begin_run(const BootKey& key) {
  const std::lock_guard lock(mutex_);
  auto* entry = find(key);
  if (!entry) return nullptr;
  if (entry->runs_to_come > 0) --entry->runs_to_come;
  entry->last_use = ++uses_;
  return entry->runs_to_come > 0 ? entry->guest : std::move(entry->guest);
}

bool BootedGuests::wants(const BootKey& key) const {
  const std::lock_guard lock(mutex_);
  const auto* entry = find(key);
  return entry && entry->runs_to_come > 0 && !entry->guest;
}

void BootedGuests::add(const BootKey& key, ReadyGuest guest) {
  const std::lock_guard lock(mutex_);
  auto* entry = find(key);
  if (!entry || entry->runs_to_come == 0 || entry->guest) return;
  entry->guest = std::make_shared<const ReadyGuest>(std::move(guest));
  entry->last_use = ++uses_;
  evict();
}

void BootedGuests::evict() {
  while (true) {
    Entry* oldest = nullptr;
    std::size_t kept = 0;
    for (auto& entry : entries_) {
      if (!entry.guest) continue;
      ++kept;
      if (!oldest || entry.last_use < oldest->last_use) oldest = &entry;
    }
    if (kept <= most_) return;
    oldest->guest.reset();
  }
}

void BootedGuests::discard(const BootKey& key) {
  const std::lock_guard lock(mutex_);
  if (auto* entry = find(key)) entry->guest.reset();
}

std::size_t BootedGuests::size() const {
  const std::lock_guard lock(mutex_);
  return static_cast<std::size_t>(
      std::ranges::count_if(entries_, [](const Entry& entry) { return entry.guest != nullptr; }));
}

}  // namespace ktstr::engine
