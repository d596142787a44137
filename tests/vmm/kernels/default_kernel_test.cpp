// Which kernel is the default, and which configuration an image has.
#include "tests/vmm/kernels/cache_fixture.h"
#include "vmm/kernels/config_beside.h"

using namespace ktstr;
using namespace ktstr::test;
using namespace ktstr::vmm;

namespace {

constexpr const char* kCloud = "9.1.2+deb-cloud-amd64";
constexpr const char* kRealtime = "9.1.2+deb-rt-amd64";

std::string default_of(const KernelCache& cache) {
  const auto entry = cache.resolve(std::nullopt);
  return entry ? entry->metadata.release : entry.error().message;
}

}  // namespace

TEST_CASE_FIXTURE(CacheFixture, "a kernel that is added does not displace the one that was made the default") {
  const auto cloud = add(kCloud);
  REQUIRE(cache.make_default(cloud));
  add(kRealtime, "rt");
  add("9.2.0", "newer");
  CHECK(default_of(cache) == kCloud);
}

TEST_CASE_FIXTURE(CacheFixture, "of several of one version the fetched one is the default, else the newest") {
  add(kCloud, "cloud", std::string(kFetchedSource) + "linux-image (trixie-backports)");
  add(kRealtime, "rt");
  CHECK(default_of(cache) == kCloud);
  add("9.2.0", "newer");
  CHECK(default_of(cache) == "9.2.0");
}

TEST_CASE_FIXTURE(CacheFixture, "a default that was removed makes room for the next") {
  const auto cloud = add(kCloud);
  add("9.0.1", "older");
  REQUIRE(cache.make_default(*cache.resolve("9.0.1")));
  CHECK(default_of(cache) == "9.0.1");
  REQUIRE(cache.clean({"9.0.1", std::nullopt}));
  CHECK(default_of(cache) == kCloud);
  REQUIRE(cache.clean({}));
  CHECK(default_of(cache) ==
        "no kernel that can run sched_ext schedulers is cached: `ktstr kernel fetch` gets one; the cache is "
        "empty");
}

TEST_CASE_FIXTURE(CacheFixture, "a configuration beside the image is taken with it") {
  file("boot/config-9.1.2", bytes_of("# CONFIG_SCHED_CLASS_EXT is not set\n"));
  const auto image = file("boot/vmlinuz-9.1.2", bzimage(gzip_payload(kernel_elf("9.1.2", "id"))));
  const auto entry = cache.add({image, std::nullopt, {}});
  REQUIRE(entry);
  CHECK(entry->metadata.source == "file " + image.string());
  CHECK_FALSE(entry->config().empty());
  CHECK_FALSE(entry->metadata.sched_ext);
}

TEST_CASE_FIXTURE(CacheFixture, "the configuration of a build tree is that of the release it built") {
  const auto top = directory.path() / "linux";
  const auto config = file("linux/.config", bytes_of("CONFIG_X=y\n"));
  file("linux/include/config/kernel.release", bytes_of("9.1.2\n"));
  CHECK(config_beside(top / "vmlinux", "9.1.2") == config);
  fs::create_directories(top / "arch/x86/boot");
  CHECK(config_beside(top / "arch/x86/boot/bzImage", "9.1.2") == config);
  CHECK_FALSE(config_beside(top / "vmlinux", "9.1.3"));
  CHECK_FALSE(config_beside(directory.path() / "vmlinuz", "9.1.2"));
}

TEST_CASE_FIXTURE(CacheFixture, "a configuration that comes later completes the kernel") {
  const auto path = image("9.1.2", "id");
  REQUIRE(cache.add({path, std::nullopt, {}})->config().empty());
  const auto config = file("late", bytes_of("CONFIG_X=y\n"));
  const auto again = cache.add({path, config, {}});
  REQUIRE(again);
  CHECK(fs::file_size(again->config()) == 11);
  CHECK(cache.check(*again, CheckDepth::kAll).damaged.empty());
  CHECK(releases() == std::vector<std::string>{"9.1.2"});
}

TEST_CASE_FIXTURE(CacheFixture, "an empty path is told as such") {
  const auto refused = cache.add({"", std::nullopt, {}});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::kInvalidArgument);
}
