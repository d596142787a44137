#include "vmm/kernels/debian_fetch.h"

#include <doctest/doctest.h>

#include <cstdlib>

#include "tests/skip.h"
#include "tests/temporary_directory.h"
#include "tests/vmm/kernels/cache_fixture.h"

namespace ktstr::vmm {
namespace {

/// An apt in front of the machine's: the suites in `indexes` have these indexes, others can't be updated.
class FakeApt {
 public:
  FakeApt() : path_(std::getenv("PATH") ? std::getenv("PATH") : "") {
    script("apt-get",
           "case \"$*\" in\n"
           "  *indextargets*) echo 'http://deb.example/debian|trixie|Debian|Debian' ;;\n"
           "  *update*) test -e \"$indexes/$(suite)\" || { echo \"no $(suite)\" >&2; exit 100; } ;;\n"
           "  *) exit 1 ;;\n"
           "esac\n");
    script("apt-cache", "cat \"$indexes/$(suite)\"\n");
    ::setenv("PATH", (directory_.path().string() + ":" + path_).c_str(), 1);
  }
  ~FakeApt() { ::setenv("PATH", path_.c_str(), 1); }
  FakeApt(const FakeApt&) = delete;
  FakeApt& operator=(const FakeApt&) = delete;

  void offer(const std::string& suite, const std::string& package) const {
    static_cast<void>(directory_.write(
        "indexes/" + suite, package.empty() ? "" : "Package: " + package + "\nVersion: 1\nSize: 1\n\n"));
  }
  [[nodiscard]] std::filesystem::path cache() const { return directory_.path() / "cache/kernels"; }

 private:
  void script(const std::string& name, const std::string& body) const {
    const auto file =
        directory_.write(name, "#!/bin/sh\nindexes=" + directory_.path().string() +
                                   "/indexes\nsuite() { cut -d' ' -f6 sources.list; }\n" + body);
    std::filesystem::permissions(file, std::filesystem::perms::owner_all);
  }

  ktstr::test::TemporaryDirectory directory_;
  std::string path_;
};

Error error_of_fetch(const FakeApt& apt, const std::string& series) {
  const auto cache = KernelCache::open(apt.cache(), &test::write_extra);
  REQUIRE_MESSAGE(cache, cache.error().message);
  FetchOptions options;
  options.series = series;
  const auto fetched = fetch_debian_kernel(*cache, options);
  REQUIRE_FALSE(fetched);
  return fetched.error();
}

bool has_keyring() {
  return std::filesystem::exists("/usr/share/keyrings/debian-archive-keyring.gpg");
}

std::vector<IndexedPackage> packages(std::initializer_list<const char*> names) {
  std::vector<IndexedPackage> result;
  for (const char* name : names) result.push_back({name, "1-1", 1000});
  return result;
}

}  // namespace

TEST_CASE("an index's stanzas become packages with version and size") {
  const auto index = parse_package_index(
      "Package: linux-base\nVersion: 4.17\nSize: 42\n\n"
      "Package: half a stanza\n\n"
      "Package: linux-binary\nDescription: Version: no\n Version: neither\nVersion: 7.3-1\nSize: 13000000");
  REQUIRE(index.size() == 2);
  CHECK(index[0].name == "linux-base");
  CHECK(index[0].version == "4.17");
  CHECK(index[0].bytes == 42);
  CHECK(index[1].version == "7.3-1");
  CHECK(parse_package_index("").empty());
}

TEST_CASE("cloud kernels are found under every name they have had, newest first") {
  const auto kernels = find_kernel_packages(
      packages({"linux-image-6.18.15+deb13-cloud-amd64-unsigned", "linux-image-6.18.15+deb13-cloud-amd64-dbg",
                "linux-binary-7.0.13+deb13-cloud-amd64", "linux-base-7.0.13+deb13-cloud-amd64",
                "linux-binary-unsigned-7.3.4+deb13-cloud-amd64", "linux-binary-unsigned-7.3.4+deb13-rt-amd64",
                "linux-image-7.3.4+deb13-cloud-amd64", "linux-image-cloud-amd64",
                "linux-binary-unsigned-7.3.4+deb13-amd64"}));
  REQUIRE(kernels.size() == 3);
  CHECK(kernels[0].release == "7.3.4+deb13-cloud-amd64");
  REQUIRE(kernels[0].images.size() == 2);
  CHECK(kernels[0].images[0].name == "linux-binary-unsigned-7.3.4+deb13-cloud-amd64");
  CHECK_FALSE(kernels[0].config);
  CHECK(kernels[1].release == "7.0.13+deb13-cloud-amd64");
  REQUIRE(kernels[1].config);
  CHECK(kernels[1].config->name == "linux-base-7.0.13+deb13-cloud-amd64");
  CHECK(kernels[2].release == "6.18.15+deb13-cloud-amd64");
}

TEST_CASE("series 7.1 is known to be unfit, with the reason") {
  REQUIRE(unfit_reason("7.1.13+deb13-cloud-amd64"));
  CHECK(unfit_reason("7.1.13+deb13-cloud-amd64")->find("scx_bpf_create_dsq_impl") != std::string_view::npos);
  CHECK_FALSE(unfit_reason("7.10.1"));
  CHECK_FALSE(unfit_reason("7.3.4"));
}

TEST_CASE("the archive is the one that calls itself Debian, not its security or a third party's") {
  CHECK(
      choose_debian_archive({{"http://s/debian-security/", "bookworm-security", "Debian", "Debian-Security"},
                             {"http://t/", "stable", "Third", "Party"},
                             {"http://m/debian/", "bookworm", "Debian", "Debian"}}) == "http://m/debian/");
}

TEST_CASE("before a first update the archive is known by its suites") {
  CHECK(choose_debian_archive({{"cdrom:[Debian 12]/", "bookworm", "", ""},
                               {"http://s/debian-security/", "bookworm-security", "", ""},
                               {"http://m/debian/", "bookworm-updates", "", ""}}) == "http://m/debian/");
  CHECK(choose_debian_archive({{"http://t/", "noble", "Ubuntu", "Ubuntu"}}) == std::nullopt);
  CHECK(choose_debian_archive({}) == std::nullopt);
}

TEST_CASE("a series is looked for in every suite, and what each has is told") {
  if (!has_keyring()) SKIP_TEST("no debian-archive-keyring");
  const FakeApt apt;
  apt.offer("trixie-backports", "linux-binary-7.3.4+deb13-cloud-amd64");
  apt.offer("trixie", "linux-image-6.12.5+deb13-cloud-amd64-unsigned");
  const auto error = error_of_fetch(apt, "9.9");
  CHECK(error.code == ErrorCode::kNotFound);
  INFO(error.message);
  CHECK(
      error.message.starts_with("Debian has no cloud kernel 9.9: "
                                "trixie-backports has 7.3.4+deb13-cloud-amd64; "
                                "trixie has 6.12.5+deb13-cloud-amd64; forky can't be asked: "));
  CHECK(error.message.find("no forky") != std::string::npos);
}

TEST_CASE("a kernel is taken from the first suite that has it") {
  if (!has_keyring()) SKIP_TEST("no debian-archive-keyring");
  const FakeApt apt;
  apt.offer("trixie-backports", "");
  apt.offer("trixie", "linux-image-6.12.5+deb13-cloud-amd64-unsigned");
  CHECK(error_of_fetch(apt, "6.12").message.find("apt-get") != std::string::npos);  // it can't be downloaded
}

TEST_CASE("when no suite can be asked, the first one's error is the cause") {
  if (!has_keyring()) SKIP_TEST("no debian-archive-keyring");
  const FakeApt apt;
  const auto error = error_of_fetch(apt, "6.12");
  CHECK(error.code == ErrorCode::kUnavailable);
  CHECK(error.message.find("no trixie-backports") != std::string::npos);
}

}  // namespace ktstr::vmm
