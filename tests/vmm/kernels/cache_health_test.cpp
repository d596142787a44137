// Whether cached files are what was put there, who may read them, and who holds them.
#include <unistd.h>

#include "tests/skip.h"
#include "tests/vmm/kernels/cache_fixture.h"
#include "vmm/kernels/file_lock.h"

using namespace ktstr;
using namespace ktstr::test;
using namespace ktstr::vmm;

using Names = std::vector<std::string>;

TEST_CASE_FIXTURE(CacheFixture, "a new entry is whole") {
  const auto entry = add("9.1.2");
  for (const auto depth : {CheckDepth::kTouched, CheckDepth::kAll}) {
    const auto check = cache.check(entry, depth);
    CHECK(check.recorded);
    CHECK(check.damaged.empty());
  }
}

TEST_CASE_FIXTURE(CacheFixture, "every file that was changed, cut or removed is named") {
  const auto entry = add("9.1.2");
  flip_byte(entry.elf());
  fs::resize_file(entry.bzimage(), fs::file_size(entry.bzimage()) - 1);
  fs::remove(entry.directory / "extra");
  auto damaged = cache.check(entry, CheckDepth::kTouched).damaged;
  std::ranges::sort(damaged);
  CHECK(damaged == Names{"bzImage", "extra", "vmlinux"});
}

TEST_CASE_FIXTURE(CacheFixture, "a file that was written to and has its bytes is whole") {
  const auto entry = add("9.1.2");
  flip_byte(entry.elf());
  CHECK(cache.check(entry, CheckDepth::kTouched).damaged == Names{"vmlinux"});
  flip_byte(entry.elf());
  CHECK(cache.check(entry, CheckDepth::kTouched).damaged.empty());
}

TEST_CASE_FIXTURE(CacheFixture, "a copy of the cache is read once, and then known") {
  const auto entry = add("9.1.2");
  const auto copy = directory.path() / "copy";
  fs::copy(directory.path() / "cache", copy, fs::copy_options::recursive);
  const auto copied = KernelCache::open(copy, &write_extra);
  const auto found = copied->resolve("9.1.2");
  REQUIRE(found);
  CHECK(copied->check(*found, CheckDepth::kTouched).damaged.empty());
  const auto damage =
      compare_files(*FileRecords::load(found->directory), found->directory, CheckDepth::kTouched);
  CHECK_FALSE(damage.touched);
  CHECK(compare_files(*FileRecords::load(entry.directory), found->directory, CheckDepth::kTouched).touched);
}

TEST_CASE_FIXTURE(CacheFixture, "an entry of an older version is compared with its image") {
  const auto entry = add("9.1.2");
  fs::remove(entry.directory / "checksums.json");
  auto check = cache.check(entry, CheckDepth::kTouched);
  CHECK_FALSE(check.recorded);
  CHECK(check.damaged.empty());
  flip_byte(entry.elf());
  CHECK(cache.check(entry, CheckDepth::kTouched).damaged == Names{"vmlinux"});
  flip_byte(entry.bzimage());
  CHECK(cache.check(entry, CheckDepth::kTouched).damaged == Names{"bzImage"});
}

TEST_CASE_FIXTURE(CacheFixture, "vmlinux is made again from its bzImage, and recorded") {
  auto entry = add("9.1.2");
  flip_byte(entry.elf());
  REQUIRE(cache.renew(entry, {.elf = true, .config = {}}));
  const auto check = cache.check(entry, CheckDepth::kAll);
  CHECK(check.recorded);
  CHECK(check.damaged.empty());
  CHECK(fs::file_size(entry.elf()) == kernel_elf("9.1.2", "0123456789").size());
}

TEST_CASE_FIXTURE(CacheFixture, "somebody else's cache can be read and not changed") {
  if (::geteuid() != 0) SKIP_TEST("only root can become somebody else");
  add("9.1.2");
  const auto other = image("9.2.0", "other");
  CHECK(holds_for_a_stranger(directory.path(), [&] {
    const auto foreign = KernelCache::open(directory.path() / "cache", &write_extra);
    if (!foreign || !foreign->is_read_only()) return false;
    const auto entry = foreign->resolve("9.1");
    if (!entry || !foreign->check(*entry, CheckDepth::kAll).damaged.empty()) return false;
    const auto refused = foreign->resolve(other.string());
    return !refused && refused.error().message.find("may not be written to") != std::string::npos;
  }));
  CHECK(releases() == Names{"9.1.2"});
}

TEST_CASE_FIXTURE(CacheFixture, "who holds a lock is told to whoever waits for it") {
  const auto lock_file = directory.path() / "lock";
  int held[2], let_go[2];
  REQUIRE(::pipe(held) == 0);
  REQUIRE(::pipe(let_go) == 0);
  const pid_t holder = start_process([&] {
    const auto lock = FileLock::wait(lock_file);
    char byte = lock ? 'y' : 'n';
    return ::write(held[1], &byte, 1) == 1 && ::read(let_go[0], &byte, 1) == 1 ? 0 : 1;
  });
  char byte = 0;
  REQUIRE(::read(held[0], &byte, 1) == 1);
  REQUIRE(byte == 'y');
  Names told;
  const auto lock = FileLock::wait(lock_file, [&](const std::string& text) {
    told.push_back(text);
    CHECK(::write(let_go[1], "x", 1) == 1);
  });
  CHECK(lock.has_value());
  CHECK(exit_status(holder) == 0);
  CHECK(told == Names{"waiting for PID " + std::to_string(holder) + ", which holds " + lock_file.string()});
}

TEST_CASE_FIXTURE(CacheFixture, "a wait for a lock ends when it is told to") {
  const auto lock_file = directory.path() / "lock";
  const auto held = FileLock::wait(lock_file);
  REQUIRE(held);
  std::stop_source stop;
  stop.request_stop();
  CHECK(FileLock::wait(lock_file, {}, stop.get_token()).error().code == ErrorCode::kCancelled);
}
