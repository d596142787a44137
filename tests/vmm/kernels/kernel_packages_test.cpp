#include "vmm/kernels/kernel_packages.h"

#include <doctest/doctest.h>

using namespace ktstr::vmm;

namespace {

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
