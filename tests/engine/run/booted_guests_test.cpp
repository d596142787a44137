// Which guests are kept, for how long, and for whom. No machine is needed for that.
#include "engine/run/booted_guests.h"

#include <doctest/doctest.h>

#include <fstream>
#include <functional>

#include "tests/temporary_directory.h"

using namespace ktstr;
using namespace ktstr::engine;
using ktstr::test::TemporaryDirectory;
using vmm::Backend;

namespace {

/// A kernel and a scheduler in a directory of their own.
struct Boot {
  TemporaryDirectory directory;
  vmm::MachineConfig config;
  std::vector<vmm::InitramfsFile> files;

  Boot() {
    config.kernel_elf = write("vmlinux", "elf");
    config.kernel_bzimage = write("bzImage", "image");
    config.topology = {1, 1, 2, 1};
    config.memory = ByteSize{512U << 20};
    files = {{.path = "schedulers/0/scx_a", .content = write("scx_a", "program")}};
  }
  std::filesystem::path write(const std::string& name, const std::string& text) const {
    std::ofstream(directory.path() / name) << text;
    return directory.path() / name;
  }
  [[nodiscard]] BootKey key(Backend backend = Backend::kQemu) const {
    auto key = boot_key(config, files, backend);
    REQUIRE_MESSAGE(key, key.error().message);
    return std::move(*key);
  }
};

}  // namespace

TEST_CASE("two scenarios with the same machine have one key, whatever their console logs") {
  Boot boot;
  const auto key = boot.key();
  boot.config.console_log = "/tmp/console";
  boot.config.initramfs = "/proc/self/fd/7";
  CHECK(boot.key() == key);
}

TEST_CASE("whatever a boot depends on makes another key") {
  const std::pair<const char*, std::function<void(Boot&)>> changes[] = {
      {"topology",
       [](Boot& boot) {
         boot.config.topology = {1, 2, 1, 1};
       }},
      {"memory", [](Boot& boot) { boot.config.memory.bytes *= 2; }},
      {"kaslr", [](Boot& boot) { boot.config.kaslr = !boot.config.kaslr; }},
      {"performance", [](Boot& boot) { boot.config.performance.dedicated_cpus = true; }},
      {"tick rate", [](Boot& boot) { boot.config.tick_rate = 1000; }},
      {"accelerator", [](Boot& boot) { boot.config.accelerator = vmm::Accelerator::kKvm; }},
      {"nested virtualization", [](Boot& boot) { boot.config.nested_virtualization = true; }},
      {"kernel arguments", [](Boot& boot) { boot.config.kernel_args = {"nohz_full=1"}; }},
      {"kernel ELF", [](Boot& boot) { boot.config.kernel_elf = boot.write("other", "elf"); }},
      {"kernel bzImage", [](Boot& boot) { boot.config.kernel_bzimage.clear(); }},
      {"a file", [](Boot& boot) { boot.files[0].content = boot.write("scx_b", "program"); }},
      {"a file's bytes", [](Boot& boot) { boot.write("scx_a", "another"); }},
      {"a file's place", [](Boot& boot) { boot.files[0].path = "schedulers/1/scx_a"; }},
      {"a file's mode", [](Boot& boot) { boot.files[0].mode = 0644; }},
      {"another file",
       [](Boot& boot) { boot.files.push_back({.path = "x", .content = std::vector<std::byte>(1)}); }},
      {"no file", [](Boot& boot) { boot.files.clear(); }},
  };
  for (const auto& [name, change] : changes) {
    CAPTURE(name);
    Boot boot;
    const auto before = boot.key();
    change(boot);
    CHECK_FALSE(boot.key() == before);
  }
  const Boot boot;
  CHECK_FALSE(boot.key(Backend::kKvm) == boot.key(Backend::kQemu));
}

TEST_CASE("bytes in memory are compared as such") {
  Boot boot;
  boot.files = {{.path = "x", .content = std::vector<std::byte>(2, std::byte{1})}};
  const auto key = boot.key();
  boot.files = {{.path = "x", .content = std::vector<std::byte>(2, std::byte{1})}};
  CHECK(boot.key() == key);
  boot.files = {{.path = "x", .content = std::vector<std::byte>(2, std::byte{2})}};
  CHECK_FALSE(boot.key() == key);
}

TEST_CASE("a file that is gone is an error with its name") {
  Boot boot;
  boot.files[0].content = std::filesystem::path("/nonexistent/scx_a");
  const auto key = boot_key(boot.config, boot.files, Backend::kQemu);
  REQUIRE_FALSE(key);
  CHECK(key.error().code == ErrorCode::kNotFound);
  CHECK(key.error().message == "look at /nonexistent/scx_a: No such file or directory");
}

namespace {

/// Counts itself while it lives.
class FakeBootSnapshot final : public vmm::MachineSnapshot {
 public:
  explicit FakeBootSnapshot(int& alive) : alive_(alive) { ++alive_; }
  ~FakeBootSnapshot() override { --alive_; }
  Result<std::unique_ptr<vmm::Machine>> fork(const std::filesystem::path&) const override {
    return Error{ErrorCode::kUnavailable, "a fake"};
  }

 private:
  int& alive_;
};

BootKey key(const std::string& argument) {
  BootKey key;
  key.machine.kernel_args = {argument};
  return key;
}

/// Snapshots that exist are counted in `alive`.
struct Kept {
  int alive = 0;
  BootedGuests guests;

  explicit Kept(const std::vector<BootKey>& planned, std::size_t most = BootedGuests::kMostSnapshots)
      : guests(planned, most) {}
  ~Kept() = default;

  void add(const BootKey& key) {
    guests.add(key, {std::make_unique<FakeBootSnapshot>(alive), key.machine.kernel_args[0]});
  }
  /// A run that boots and keeps its guest when it is wanted; "forked" or "booted".
  std::string run(const BootKey& key) {
    const auto guest = guests.begin_run(key);
    if (!guest && guests.wants(key)) add(key);
    return guest ? "forked" : "booted";
  }
};

}  // namespace

TEST_CASE("a single run keeps nothing, and so do runs that boot differently") {
  Kept kept({key("a"), key("b")});
  CHECK(kept.run(key("a")) == "booted");
  CHECK(kept.run(key("b")) == "booted");
  CHECK(kept.alive == 0);
}

TEST_CASE("the first of three runs alike is kept for the others, and no longer") {
  Kept kept({key("a"), key("a"), key("a")});
  CHECK(kept.run(key("a")) == "booted");
  CHECK(kept.alive == 1);
  CHECK(kept.run(key("a")) == "forked");
  CHECK(kept.alive == 1);
  CHECK(kept.run(key("a")) == "forked");
  CHECK(kept.alive == 0);
}

TEST_CASE("a guest that is given lives as long as it is held") {
  Kept kept({key("a"), key("a")});
  kept.run(key("a"));
  auto guest = kept.guests.begin_run(key("a"));
  CHECK(guest->kernel_release == "a");
  CHECK(kept.guests.size() == 0);
  CHECK(kept.alive == 1);
  guest.reset();
  CHECK(kept.alive == 0);
}

TEST_CASE("a run that was not planned boots, and nothing is kept of it") {
  Kept kept({key("a"), key("a")});
  CHECK(kept.run(key("other")) == "booted");
  kept.add(key("other"));
  CHECK(kept.alive == 0);
  CHECK(kept.guests.size() == 0);
}

TEST_CASE("of too many guests the one whose last use is longest ago goes, and is booted again") {
  const std::vector<BootKey> round = {key("a"), key("b"), key("c")};
  auto planned = round;
  for (int i = 0; i < 3; ++i) planned.insert(planned.end(), round.begin(), round.end());
  Kept kept(planned, 2);
  CHECK(kept.run(key("a")) == "booted");
  CHECK(kept.run(key("b")) == "booted");
  CHECK(kept.run(key("a")) == "forked");
  CHECK(kept.run(key("c")) == "booted");
  CHECK(kept.alive == 2);
  CHECK(kept.run(key("a")) == "forked");
  CHECK(kept.run(key("c")) == "forked");
  CHECK(kept.run(key("b")) == "booted");
  CHECK(kept.run(key("a")) == "booted");
}

TEST_CASE("a guest that is of no use is forgotten, and another one wanted while runs are to come") {
  Kept kept({key("a"), key("a"), key("a")});
  kept.run(key("a"));
  CHECK_FALSE(kept.guests.wants(key("a")));
  CHECK(kept.run(key("a")) == "forked");
  kept.guests.discard(key("a"));
  CHECK(kept.alive == 0);
  CHECK(kept.guests.wants(key("a")));
  CHECK(kept.run(key("a")) == "booted");
  CHECK_FALSE(kept.guests.wants(key("a")));
  kept.guests.discard(key("other"));
}
