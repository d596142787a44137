#include "engine/base/durable_file.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <fstream>
#include <iterator>

#include "tests/temporary_directory.h"

namespace ktstr {
namespace {

namespace fs = std::filesystem;

std::string content(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::size_t files_in(const test::TemporaryDirectory& directory) {
  return static_cast<std::size_t>(
      std::distance(fs::directory_iterator(directory.path()), fs::directory_iterator()));
}

std::string refusal(const fs::path& path) {
  const auto status = write_new_file(path, "new");
  return status ? "" : status.error().message;
}

}  // namespace

TEST_CASE("a new file is there when it is published, and not before") {
  const test::TemporaryDirectory directory;
  const auto path = directory.path() / "a";
  auto file = NewFile::beside(path).value();
  REQUIRE(file.append(std::as_bytes(std::span(std::string_view("text")))));
  CHECK(!fs::exists(path));
  REQUIRE(file.publish());
  CHECK(content(path) == "text");
  CHECK(files_in(directory) == 1);
}

TEST_CASE("a new file that is given up leaves what was there") {
  const test::TemporaryDirectory directory;
  const auto path = directory.write("a", "old");
  {
    auto file = NewFile::beside(path).value();
    REQUIRE(file.append(std::as_bytes(std::span(std::string_view("new")))));
  }
  CHECK(content(path) == "old");
  CHECK(files_in(directory) == 1);
}

TEST_CASE("a file that is replaced keeps its permissions, and a link to it stays a link") {
  const test::TemporaryDirectory directory;
  const auto path = directory.write("a", "old");
  REQUIRE(::chmod(path.c_str(), 0600) == 0);
  fs::create_symlink("a", directory.path() / "link");
  REQUIRE(write_new_file(directory.path() / "link", "new"));
  CHECK(content(path) == "new");
  CHECK(fs::is_symlink(directory.path() / "link"));
  CHECK(fs::status(path).permissions() == (fs::perms::owner_read | fs::perms::owner_write));
}

TEST_CASE("what is no regular file is refused by its kind, and stays") {
  const test::TemporaryDirectory directory;
  const auto pipe = directory.path() / "pipe";
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  fs::create_symlink("/dev/null", directory.path() / "device");
  fs::create_symlink("loop", directory.path() / "loop");
  CHECK(refusal("/dev/full") == "/dev/full: a character device, not a regular file");
  CHECK(refusal(directory.path() / "device").ends_with("device: a character device, not a regular file"));
  CHECK(refusal(pipe) == pipe.string() + ": a pipe, not a regular file");
  CHECK(refusal(directory.path()).ends_with(": a directory, not a regular file"));
  CHECK(refusal(directory.path() / "loop").ends_with("loop: Too many levels of symbolic links"));
  CHECK(fs::is_fifo(pipe));
  CHECK(fs::is_character_file("/dev/full"));
  CHECK(write_new_file("/dev/full", "new").error().code == ErrorCode::kInvalidArgument);
}

TEST_CASE("a name in a directory that is not there, and no name, are errors with the name") {
  CHECK(refusal("/nonexistent/a") == "/nonexistent/a: create a file beside it: No such file or directory");
  CHECK(!refusal("").empty());
  CHECK(write_new_file("/nonexistent/a", "new").error().code == ErrorCode::kNotFound);
}

}  // namespace ktstr
