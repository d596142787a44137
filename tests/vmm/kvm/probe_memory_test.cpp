#include "vmm/kvm/probe_memory.h"

#include <doctest/doctest.h>

#include <fstream>
#include <iterator>
#include <thread>
#include <vector>

#include "tests/temporary_directory.h"

namespace ktstr::vmm::kvm {
namespace {

namespace fs = std::filesystem;

const Error kHang{ErrorCode::kTimeout, "KVM hangs at: wrmsr LSTAR"};
const Error kBusy{ErrorCode::kIo, "KVM_CREATE_VM: Device or resource busy"};

/// A host with a /dev/kvm of its own, whose probe gives what it is told and counts.
struct FakeHost {
  FakeHost() {
    directory.write("boot_id", "aaaa\n");
    directory.write("kvm", "");
  }
  Status ask() {
    return remembered_probe(cache(), {.boot_id = directory.path() / "boot_id",
                                      .device = directory.path() / "kvm",
                                      .probe = [this](const ProbeSettings& settings) {
                                        deadlines.push_back(settings.deadline);
                                        return verdict;
                                      }});
  }
  [[nodiscard]] fs::path cache() const { return directory.path() / "cache"; }
  [[nodiscard]] std::string remembered() const {
    std::ifstream file(cache() / "kvm-probe");
    return {std::istreambuf_iterator<char>(file), {}};
  }

  ktstr::test::TemporaryDirectory directory;
  Status verdict = ok();
  std::vector<Duration> deadlines;  ///< of each probe that was made
};

TEST_CASE("a KVM that passed is not probed again") {
  FakeHost host;
  REQUIRE(host.ask());
  REQUIRE(host.ask());
  CHECK(host.deadlines == std::vector{kProbeDeadline});
}

TEST_CASE("a hang is tried once more with patience, then remembered with its reason") {
  FakeHost host;
  host.verdict = kHang;
  for (int i = 0; i < 2; ++i) {
    const auto status = host.ask();
    REQUIRE_FALSE(status);
    CHECK(status.error().code == ErrorCode::kUnavailable);
    CHECK(status.error().message == kHang.message);
  }
  CHECK(host.deadlines == std::vector{kProbeDeadline, Duration(10 * kProbeDeadline.ns)});
}

TEST_CASE("a hang of a busy host that passes with patience is no hang") {
  FakeHost host;
  const auto file = host.directory.path();
  const ProbedHost busy{
      .boot_id = file / "boot_id", .device = file / "kvm", .probe = [](const ProbeSettings& settings) {
        return settings.deadline > kProbeDeadline ? ok() : Status(kHang);
      }};
  CHECK(remembered_probe(host.cache(), busy));
}

TEST_CASE("what may pass is not remembered") {
  FakeHost host;
  host.verdict = kBusy;
  REQUIRE_FALSE(host.ask());
  CHECK_FALSE(fs::exists(host.cache() / "kvm-probe"));
  host.verdict = ok();
  CHECK(host.ask());
}

TEST_CASE("a missing device is told, neither probed nor remembered") {
  FakeHost host;
  fs::remove(host.directory.path() / "kvm");
  const auto status = host.ask();
  REQUIRE_FALSE(status);
  CHECK(status.error().code == ErrorCode::kUnavailable);
  CHECK(status.error().message.ends_with("kvm: No such file or directory"));
  CHECK(host.deadlines.empty());
  CHECK_FALSE(fs::exists(host.cache()));
}

TEST_CASE("a verdict of another boot is forgotten") {
  FakeHost host;
  host.verdict = kHang;
  REQUIRE_FALSE(host.ask());
  host.directory.write("boot_id", "bbbb\n");
  host.verdict = ok();
  CHECK(host.ask());
}

TEST_CASE("a verdict about another device is forgotten") {
  FakeHost host;
  host.verdict = kHang;
  REQUIRE_FALSE(host.ask());
  host.directory.write("other", "");
  fs::rename(host.directory.path() / "other", host.directory.path() / "kvm");
  host.verdict = ok();
  CHECK(host.ask());
}

TEST_CASE("without a boot id nothing is remembered") {
  FakeHost host;
  fs::remove(host.directory.path() / "boot_id");
  REQUIRE(host.ask());
  CHECK(host.remembered().empty());
}

TEST_CASE("a verdict with members that a newer ktstr added is taken, one of another format is not") {
  FakeHost host;
  REQUIRE(host.ask());
  const auto good = host.remembered();
  const auto with = [&](const std::string& format) {
    auto text = good;
    const std::string mine = "\"format\":\"1.1\"";
    text.replace(text.find(mine), mine.size(), format);
    host.directory.write("cache/kvm-probe", text);
    host.deadlines.clear();
    CHECK(host.ask());
    return host.deadlines.size();
  };
  CHECK(with("\"format\":\"1.9\",\"took_ns\":12") == 0);
  CHECK(with("\"format\":\"2.0\"") == 1);
  CHECK(host.remembered() == good);
}

TEST_CASE("a file that is damaged, foreign or of another version is replaced") {
  FakeHost host;
  REQUIRE(host.ask());
  const auto good = host.remembered();
  auto old = good;
  const auto version = "\"version\":" + std::to_string(kProbeVersion);
  old.replace(old.find(version), version.size(), "\"version\":0");
  for (const auto& bad :
       {std::string(), good.substr(0, good.size() / 2), std::string("{}"), std::string("\0\xff", 2), old}) {
    host.directory.write("cache/kvm-probe", bad);
    host.deadlines.clear();
    CHECK(host.ask());
    CHECK(host.deadlines.size() == 1);
    CHECK(host.remembered() == good);
  }
}

TEST_CASE("a cache that can't be written changes no verdict") {
  FakeHost host;
  host.directory.write("cache", "a file, not a directory");
  CHECK(host.ask());
  host.verdict = kHang;
  CHECK_FALSE(host.ask());
}

TEST_CASE("nothing but the verdict is left in the cache, however many ask at once") {
  FakeHost host;
  const auto directory = host.directory.path();
  std::vector<std::thread> askers;
  for (int i = 0; i < 8; ++i)
    askers.emplace_back([&] {
      const ProbedHost same{.boot_id = directory / "boot_id",
                            .device = directory / "kvm",
                            .probe = [](const ProbeSettings&) { return ok(); }};
      static_cast<void>(remembered_probe(host.cache(), same));
    });
  for (auto& asker : askers) asker.join();
  CHECK(std::distance(fs::directory_iterator(host.cache()), fs::directory_iterator()) == 1);
  REQUIRE(host.ask());
  CHECK(host.deadlines.empty());
}

}  // namespace
}  // namespace ktstr::vmm::kvm
