#include "vmm/kernels/cache.h"

#include <doctest/doctest.h>
#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "engine/base/durable_file.h"
#include "tests/vmm/kernels/cache_fixture.h"

using namespace ktstr;
using namespace ktstr::test;
using namespace ktstr::vmm;

namespace {

using Fixture = CacheFixture;

}  // namespace

TEST_CASE_FIXTURE(Fixture, "an added kernel is an entry with image, ELF, further files and metadata") {
  const Bytes elf = kernel_elf("9.1.2+test", "0123456789");
  const Bytes image = bzimage(gzip_payload(elf));
  const auto config = file("config", bytes_of("# x\nCONFIG_SCHED_CLASS_EXT=y\n"));
  const auto entry = cache.add({file("vmlinuz", image), config, "a test"});
  REQUIRE(entry);
  CHECK(entry->directory.filename() == "9.1.2+test-303132333435");
  CHECK(fs::file_size(entry->bzimage()) == image.size());
  CHECK(fs::file_size(entry->elf()) == elf.size());
  CHECK(fs::exists(entry->config()));
  CHECK(fs::exists(entry->directory / "extra"));
  const auto listing = cache.list();
  REQUIRE(listing);
  REQUIRE(listing->entries.size() == 1);
  const KernelMetadata& metadata = listing->entries[0].metadata;
  CHECK(metadata.release == "9.1.2+test");
  CHECK(metadata.build_id == "30313233343536373839");
  CHECK(metadata.image_bytes == image.size());
  CHECK(metadata.source == "a test");
  CHECK(metadata.added.size() == std::string("2026-01-01T00:00:00Z").size());
  CHECK(metadata.sched_ext);
  CHECK(hidden_names().empty());
}

TEST_CASE_FIXTURE(Fixture,
                  "an ELF kernel has no bzImage, and one without build id is told apart by its contents") {
  const auto first = cache.add({file("a", kernel_elf("9.1.2", "")), std::nullopt, "test"});
  const auto second = cache.add({file("b", kernel_elf("9.1.2", "", "\1btf")), std::nullopt, "test"});
  REQUIRE(first);
  REQUIRE(second);
  CHECK(first->bzimage().empty());
  CHECK(first->config().empty());
  CHECK(first->directory != second->directory);
  CHECK(first->metadata.sched_ext);
  CHECK_FALSE(second->metadata.sched_ext);
}

TEST_CASE_FIXTURE(Fixture, "the configuration decides about sched_ext where it is known") {
  const auto config = file("config", bytes_of("# CONFIG_SCHED_CLASS_EXT is not set\n"));
  const auto entry = cache.add({image("9.1.2", "id"), config, "test"});
  REQUIRE(entry);
  CHECK_FALSE(entry->metadata.sched_ext);
}

TEST_CASE_FIXTURE(Fixture, "a kernel that is cached is not unpacked again") {
  const CacheEntry first = add("9.1.2");
  REQUIRE(fs::remove(first.directory / "extra"));
  const CacheEntry again = add("9.1.2");
  CHECK(again.directory == first.directory);
  CHECK_FALSE(fs::exists(again.directory / "extra"));
}

TEST_CASE_FIXTURE(Fixture, "of an entry that a newer ktstr wrote, what is not known is left out") {
  const auto metadata = add("9.1.2").directory / "metadata.json";
  const auto with_format = [&](const std::string& format) {
    std::ostringstream text;
    text << std::ifstream(metadata).rdbuf();
    auto json = text.str();
    const std::string mine = "\"format\": \"" + kMetadataFormat.to_string() + "\"";
    REQUIRE(json.find(mine) != std::string::npos);
    json.replace(json.find(mine), mine.size(), format);
    std::ofstream(metadata) << json;
  };
  with_format("\"format\": \"1.99\",\n \"colour\": 3");
  CHECK(releases() == std::vector<std::string>{"9.1.2"});
  std::ofstream(metadata) << "{\"format\": \"2.0\", \"release\": \"9.1.2\"}";
  const auto listing = cache.list();
  REQUIRE(listing);
  CHECK(listing->entries.empty());
  REQUIRE(listing->damaged.size() == 1);
  CHECK(listing->damaged[0].message.ends_with(
      "written by a newer ktstr (format 2.0; this one reads 1.x): use a ktstr of that version or newer"));
}

TEST_CASE_FIXTURE(Fixture, "a kernel without BTF is refused") {
  const auto refused = cache.add({file("x", kernel_elf("9.1.2", "id", "")), std::nullopt, "test"});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::kInvalidArgument);
  CHECK(refused.error().message.find("kernel 9.1.2 has no BTF (CONFIG_DEBUG_INFO_BTF is off)") !=
        std::string::npos);
  CHECK(releases().empty());
}

TEST_CASE_FIXTURE(Fixture, "a missing, unreadable or damaged image is named") {
  const auto missing = cache.resolve((directory.path() / "none").string());
  REQUIRE_FALSE(missing);
  CHECK(missing.error().code == ErrorCode::kNotFound);
  CHECK(missing.error().message.find((directory.path() / "none").string()) != std::string::npos);
  CHECK_FALSE(cache.resolve(directory.path().string()));
  const auto text = file("text", bytes_of("hello"));
  const auto damaged = cache.resolve(text.string());
  REQUIRE_FALSE(damaged);
  CHECK(damaged.error().message.find(text.string() + ": neither a bzImage") != std::string::npos);
}

TEST_CASE_FIXTURE(Fixture, "an error from whoever completes the entry leaves nothing behind") {
  const auto refusing =
      KernelCache::open(directory.path() / "cache", [](const fs::path&, KernelMetadata&) -> Status {
        return Error{ErrorCode::kCorrupt, "no symbols"};
      });
  REQUIRE(refusing);
  const auto entry = refusing->add({image("9.1.2", "id"), std::nullopt, "test"});
  REQUIRE_FALSE(entry);
  CHECK(entry.error().message == "test: no symbols");
  CHECK(releases().empty());
  CHECK(hidden_names().empty());
}

TEST_CASE_FIXTURE(Fixture, "a release, its beginning, an entry's name and a path mean a kernel") {
  add("9.1.2+x");
  add("9.1.10+x");
  add("9.10.1");
  CHECK(cache.resolve("9.1")->metadata.release == "9.1.10+x");
  CHECK(cache.resolve("9.1.2")->metadata.release == "9.1.2+x");
  CHECK(cache.resolve("9.1.2+x")->metadata.release == "9.1.2+x");
  CHECK(cache.resolve("9.1.2+x-303132333435")->metadata.release == "9.1.2+x");
  CHECK(cache.resolve("9")->metadata.release == "9.10.1");
  CHECK(cache.resolve(image("9.3.0", "other").string())->metadata.release == "9.3.0");
  CHECK(releases() == std::vector<std::string>{"9.10.1", "9.3.0", "9.1.10+x", "9.1.2+x"});
}

TEST_CASE_FIXTURE(Fixture, "an unknown kernel is answered with what is cached and the nearest") {
  CHECK(cache.resolve("9.9").error().message ==
        "no kernel 9.9 is cached: `ktstr kernel fetch 9.9` gets one; the cache is empty");
  add("9.1.2+x");
  add("8.4.1");
  const auto unknown = cache.resolve("9.1.3+x");
  REQUIRE_FALSE(unknown);
  CHECK(unknown.error().code == ErrorCode::kNotFound);
  CHECK(unknown.error().message ==
        "no kernel 9.1.3+x is cached: `ktstr kernel fetch 9.1.3+x` gets one (did you mean 9.1.2+x?); cached: "
        "9.1.2+x, 8.4.1");
}

TEST_CASE_FIXTURE(Fixture, "the default is the newest kernel that schedulers can work on") {
  CHECK(cache.resolve(std::nullopt).error().code == ErrorCode::kNotFound);
  add("9.1.2");
  const auto config = file("config", bytes_of("# CONFIG_SCHED_CLASS_EXT is not set\n"));
  REQUIRE(cache.add({image("9.2.0", "plain"), config, "test"}));
  const auto defective =
      KernelCache::open(directory.path() / "cache", [](const fs::path&, KernelMetadata& metadata) {
        metadata.sched_ext_defect = "broken";
        return ok();
      });
  REQUIRE(defective->add({image("9.3.0", "defective"), std::nullopt, "test"}));
  const auto entry = cache.resolve(std::nullopt);
  REQUIRE(entry);
  CHECK(entry->metadata.release == "9.1.2");
}

TEST_CASE_FIXTURE(Fixture, "clean removes all, the named, or all but the newest") {
  for (const char* release : {"9.1.1", "9.1.2", "9.1.3", "9.2.0"}) add(release);
  CHECK(cache.clean({"9.1", 1}) == std::vector<std::string>{"9.1.2", "9.1.1"});
  CHECK(cache.clean({"9.1.3", std::nullopt}) == std::vector<std::string>{"9.1.3"});
  CHECK_FALSE(cache.clean({"9.1.3", std::nullopt}));
  add("9.1.1");
  CHECK(cache.clean({std::nullopt, 1}) == std::vector<std::string>{"9.1.1"});
  CHECK(cache.clean({}) == std::vector<std::string>{"9.2.0"});
  CHECK(releases().empty());
  CHECK(hidden_names().empty());
}

TEST_CASE_FIXTURE(Fixture, "a damaged entry is told, replaced when added again, and cleaned") {
  const CacheEntry entry = add("9.1.2");
  std::ofstream(entry.directory / "metadata.json") << "{ \"release\": 5";
  CHECK(cache.list()->entries.empty());
  REQUIRE(cache.list()->damaged.size() == 1);
  CHECK(cache.list()->damaged[0].message.find("metadata.json") != std::string::npos);
  CHECK(cache.resolve("9.1.2").error().message.find("damaged: ") != std::string::npos);
  add("9.1.2");
  CHECK(releases() == std::vector<std::string>{"9.1.2"});
  REQUIRE(fs::remove(entry.elf()));
  CHECK(cache.list()->damaged.size() == 1);
  REQUIRE(cache.clean({}));
  CHECK(cache.list()->damaged.empty());
}

TEST_CASE_FIXTURE(Fixture, "renewing an entry makes its further files anew") {
  CacheEntry entry = add("9.1.2");
  const auto changed =
      KernelCache::open(directory.path() / "cache", [](const fs::path& place, KernelMetadata& metadata) {
        metadata.sched_ext_defect = "found later";
        CHECK(fs::file_size(place / "vmlinux") > 0);
        return write_new_file(place / "extra", "made anew");
      });
  REQUIRE(changed->renew(entry));
  CHECK(fs::file_size(entry.directory / "extra") == std::string("made anew").size());
  CHECK(cache.list()->entries.at(0).metadata.sched_ext_defect == "found later");
  CHECK(fs::file_size(entry.elf()) > 0);
  CHECK(hidden_names().empty());
}

TEST_CASE_FIXTURE(Fixture, "two processes that add one kernel at the same time both get the one entry") {
  const fs::path kernel = image("9.1.2", "id");
  int go[2];
  REQUIRE(::pipe(go) == 0);
  const auto add_when_told = [&] {
    char byte;
    ::close(go[1]);
    if (::read(go[0], &byte, 1) < 0) return 1;  // both wait for the end of the file
    const auto own = KernelCache::open(directory.path() / "cache", &write_extra);
    const auto entry = own ? own->add({kernel, std::nullopt, "test"}) : Result<CacheEntry>(own.error());
    return entry && fs::exists(entry->directory / "extra") && fs::exists(entry->elf()) ? 0 : 2;
  };
  const pid_t first = start_process(add_when_told);
  const pid_t second = start_process(add_when_told);
  ::close(go[0]);
  ::close(go[1]);
  CHECK(exit_status(first) == 0);
  CHECK(exit_status(second) == 0);
  CHECK(releases() == std::vector<std::string>{"9.1.2"});
  CHECK(hidden_names().empty());
}

TEST_CASE_FIXTURE(Fixture,
                  "what a killed process left is cleared by the next, what a living one makes is not") {
  const fs::path kernel = image("9.1.2", "id");
  int reached[2];
  REQUIRE(::pipe(reached) == 0);
  const pid_t child = start_process([&] {
    const auto own = KernelCache::open(directory.path() / "cache", [&](const fs::path&, KernelMetadata&) {
      if (::write(reached[1], "x", 1) == 1) ::pause();
      return ok();
    });
    return own->add({kernel, std::nullopt, "test"}) ? 0 : 1;
  });
  ::close(reached[1]);
  char byte;
  REQUIRE(::read(reached[0], &byte, 1) == 1);
  REQUIRE(KernelCache::open(directory.path() / "cache", &write_extra));
  CHECK(hidden_names().size() == 1);
  ::kill(child, SIGKILL);
  CHECK(exit_status(child) == -1);
  REQUIRE(KernelCache::open(directory.path() / "cache", &write_extra));
  CHECK(hidden_names().empty());
  CHECK(releases().empty());
  ::close(reached[0]);
}

TEST_CASE("the cache lies where the environment says") {
  ::setenv("KTSTR_CACHE", "/a", 1);
  ::setenv("XDG_CACHE_HOME", "/b", 1);
  ::setenv("HOME", "/c", 1);
  CHECK(KernelCache::default_directory() == fs::path("/a"));
  ::unsetenv("KTSTR_CACHE");
  CHECK(KernelCache::default_directory() == fs::path("/b/ktstr"));
  ::unsetenv("XDG_CACHE_HOME");
  CHECK(KernelCache::default_directory() == fs::path("/c/.cache/ktstr"));
  ::unsetenv("HOME");
  CHECK_FALSE(KernelCache::default_directory());
}
