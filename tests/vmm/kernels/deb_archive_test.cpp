#include "vmm/kernels/deb_archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <doctest/doctest.h>

#include <fstream>

#include "engine/base/durable_file.h"
#include "tests/base/elf_builder.h"
#include "tests/temporary_directory.h"

using namespace ktstr;
using ktstr::test::TemporaryDirectory;
using test::Bytes;

namespace {

/// Packs members into one archive in memory.
Bytes pack(int (*format)(archive*), int (*filter)(archive*),
           const std::vector<std::pair<std::string, Bytes>>& members) {
  Bytes buffer(1 << 20);
  std::size_t used = 0;
  archive* writer = archive_write_new();
  format(writer);
  filter(writer);
  archive_write_open_memory(writer, buffer.data(), buffer.size(), &used);
  for (const auto& [name, bytes] : members) {
    archive_entry* entry = archive_entry_new();
    archive_entry_set_pathname(entry, name.c_str());
    archive_entry_set_filetype(entry, AE_IFREG);
    archive_entry_set_perm(entry, 0644);
    archive_entry_set_size(entry, static_cast<la_int64_t>(bytes.size()));
    archive_write_header(writer, entry);
    archive_write_data(writer, bytes.data(), bytes.size());
    archive_entry_free(entry);
  }
  archive_write_close(writer);
  archive_write_free(writer);
  buffer.resize(used);
  return buffer;
}

Bytes make_deb(const std::vector<std::pair<std::string, Bytes>>& files) {
  const Bytes data = pack(&archive_write_set_format_ustar, &archive_write_add_filter_xz, files);
  return pack(&archive_write_set_format_ar_svr4, &archive_write_add_filter_none,
              {{"debian-binary", test::bytes_of("2.0\n")}, {"control.tar.xz", {}}, {"data.tar.xz", data}});
}

std::string contents(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

TEST_CASE("image and configuration are taken from where packages keep them, and nothing else") {
  const std::vector<std::pair<std::string, std::string>> layouts = {
      {"./boot/vmlinuz-9.1.0", "./boot/config-9.1.0"},
      {"./usr/lib/modules/9.1.0/vmlinuz.unsigned", "./usr/lib/modules/9.1.0/config"},
      {"usr/lib/modules/9.1.0/vmlinuz", "usr/lib/modules/9.1.0/config"}};
  for (const auto& [image, config] : layouts) {
    CAPTURE(image);
    const TemporaryDirectory directory;
    const auto deb = directory.path() / "a.deb";
    REQUIRE(write_new_file(deb, make_deb({{"./boot/vmlinuz-9.1.1", test::bytes_of("another")},
                                          {image, test::bytes_of("the image")},
                                          {"../escape", test::bytes_of("out")},
                                          {config, test::bytes_of("CONFIG_X=y\n")}})));
    const auto files = vmm::unpack_kernel(deb, "9.1.0", directory.path());
    REQUIRE(files);
    REQUIRE(files->image);
    REQUIRE(files->config);
    CHECK(contents(*files->image) == "the image");
    CHECK(contents(*files->config) == "CONFIG_X=y\n");
    CHECK(std::distance(std::filesystem::directory_iterator(directory.path()), {}) == 3);
  }
}

TEST_CASE("a package without a kernel gives none") {
  const TemporaryDirectory directory;
  const auto deb = directory.path() / "a.deb";
  REQUIRE(write_new_file(deb, make_deb({{"./usr/share/doc/copyright", test::bytes_of("GPL")}})));
  const auto files = vmm::unpack_kernel(deb, "9.1.0", directory.path());
  REQUIRE(files);
  CHECK_FALSE(files->image);
  CHECK_FALSE(files->config);
}

TEST_CASE("a damaged package is an error") {
  const TemporaryDirectory directory;
  const auto deb = directory.path() / "a.deb";
  const Bytes whole = make_deb({{"./boot/vmlinuz-9.1.0", Bytes(5000, std::byte{7})}});
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{30}, std::size_t{200}, whole.size() / 2, whole.size() - 40}) {
    CAPTURE(size);
    REQUIRE(write_new_file(deb, std::span(whole).first(size)));
    const auto files = vmm::unpack_kernel(deb, "9.1.0", directory.path());
    REQUIRE_FALSE(files);
    CHECK(files.error().code == ErrorCode::kCorrupt);
  }
}
