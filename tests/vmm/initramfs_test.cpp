#include "vmm/initramfs.h"

#include <archive.h>
#include <archive_entry.h>
#include <doctest/doctest.h>
#include <stdlib.h>

#include <algorithm>
#include <fstream>
#include <map>

#include "tests/temporary_directory.h"

namespace ktstr::vmm {
namespace {

std::vector<std::byte> bytes_of(std::string_view text) {
  const auto* data = reinterpret_cast<const std::byte*>(text.data());
  return {data, data + text.size()};
}

struct Entry {
  mode_t mode = 0;
  dev_t device = 0;
  std::string content;
};

/// The archive as libarchive's reader sees it.
std::map<std::string, Entry> unpack(const std::vector<std::byte>& archive_bytes) {
  std::map<std::string, Entry> entries;
  auto* archive = archive_read_new();
  archive_read_support_format_cpio(archive);
  REQUIRE(archive_read_open_memory(archive, archive_bytes.data(), archive_bytes.size()) == ARCHIVE_OK);
  archive_entry* entry = nullptr;
  while (archive_read_next_header(archive, &entry) == ARCHIVE_OK) {
    std::string content(static_cast<std::size_t>(archive_entry_size(entry)), '\0');
    CHECK(archive_read_data(archive, content.data(), content.size()) ==
          static_cast<la_ssize_t>(content.size()));
    entries[archive_entry_pathname(entry)] = {archive_entry_mode(entry), archive_entry_rdev(entry), content};
  }
  archive_read_free(archive);
  return entries;
}

}  // namespace

TEST_CASE("an initramfs holds the given files, their directories and what a kernel needs before init") {
  const auto archive =
      build_initramfs({{"init", bytes_of("#!"), 0755}, {"usr/lib/data", bytes_of("abc"), 0644}});
  const auto entries = unpack(*archive);
  CHECK(entries.at("init").content == "#!");
  CHECK(entries.at("init").mode == (S_IFREG | 0755));
  CHECK(entries.at("usr/lib/data").content == "abc");
  CHECK(entries.at("usr/lib/data").mode == (S_IFREG | 0644));
  CHECK(entries.at("usr").mode == (S_IFDIR | 0755));
  CHECK(entries.at("usr/lib").mode == (S_IFDIR | 0755));
  CHECK(entries.at("dev/console").mode == (S_IFCHR | 0600));
  CHECK(entries.at("dev/console").device == 0x501);
  for (const char* directory : {"dev", "proc", "sys", "tmp"}) CHECK(S_ISDIR(entries.at(directory).mode));
}

TEST_CASE("an initramfs begins with the magic of the newc form") {
  const auto archive = *build_initramfs({});
  CHECK(std::equal(archive.begin(), archive.begin() + 6, bytes_of("070701").begin()));
}

TEST_CASE("the same files in another order and of another age give the same archive") {
  const ktstr::test::TemporaryDirectory directory;
  const auto file = directory.path() / "file";
  std::ofstream(file) << "same";
  const auto first = build_initramfs({{"a", file}, {"b", bytes_of("b")}});
  std::filesystem::last_write_time(file, std::filesystem::file_time_type{});
  const auto second = build_initramfs({{"b", bytes_of("b")}, {"a", file}});
  CHECK(*first == *second);
}

TEST_CASE("paths outside the root and paths given twice are refused") {
  for (const char* path : {"", "/init", "../init", "bin/../../x", "./init", "bin/", "bin//x"}) {
    CAPTURE(path);
    CHECK(build_initramfs({{path, bytes_of("")}}).error().code == ErrorCode::kInvalidArgument);
  }
  CHECK(build_initramfs({{"init", bytes_of("1")}, {"init", bytes_of("2")}}).error().message ==
        "initramfs: \"init\" is given twice");
}

TEST_CASE("a host file that is not there is named") {
  const auto archive = build_initramfs({{"init", std::filesystem::path("/nonexistent/agent")}});
  CHECK(archive.error().code == ErrorCode::kNotFound);
  CHECK(archive.error().message.find("/nonexistent/agent") != std::string::npos);
}

TEST_CASE("writing an initramfs leaves the archive and nothing else") {
  const ktstr::test::TemporaryDirectory directory;
  const auto path = directory.path() / "initramfs.cpio";
  REQUIRE(write_initramfs({{"init", bytes_of("x")}}, path).has_value());
  CHECK(std::filesystem::file_size(path) == build_initramfs({{"init", bytes_of("x")}})->size());
  CHECK(std::distance(std::filesystem::directory_iterator(directory.path()), {}) == 1);
}

TEST_CASE("writing an initramfs where there is no directory fails and names the place") {
  const auto written = write_initramfs({}, "/nonexistent/initramfs.cpio");
  CHECK(written.error().code == ErrorCode::kNotFound);
  CHECK(written.error().message.find("/nonexistent/initramfs.cpio") != std::string::npos);
}

}  // namespace ktstr::vmm
