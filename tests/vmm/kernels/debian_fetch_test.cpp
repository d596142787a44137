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

  test::TemporaryDirectory directory_;
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

}  // namespace

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
