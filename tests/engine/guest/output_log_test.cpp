#include "engine/guest/output_log.h"

#include <doctest/doctest.h>

#include <fstream>
#include <iterator>

#include "tests/temporary_directory.h"

using ktstr::engine::guest::OutputLog;
using Lines = std::vector<std::string>;

TEST_CASE("lines come in pieces of any size, and the last one may be unfinished") {
  OutputLog log;
  log.append("one\ntw");
  log.append("o\n");
  log.append("thr");
  CHECK(log.lines() == Lines{"one", "two", "thr"});
  CHECK(log.dropped() == 0);
}

TEST_CASE("a line that repeats the one before is counted") {
  OutputLog log;
  log.append("tick\ntick\ntick\ntock\ntick\ntick\n");
  CHECK(log.lines() == Lines{"tick (repeated 2 times more)", "tock", "tick (repeated 1 time more)"});
}

TEST_CASE("beyond the limit the oldest lines go, repeats counted") {
  OutputLog log;
  log.append("first\nfirst\n");
  for (std::size_t i = 0; i < OutputLog::kMostLines; ++i) log.append(std::to_string(i) + "\n");
  const auto lines = log.lines();
  REQUIRE(lines.size() == OutputLog::kMostLines);
  CHECK(lines.front() == "0");
  CHECK(log.dropped() == 2);
}

TEST_CASE("a long line is cut, and bytes that no terminal shows are replaced") {
  OutputLog log;
  log.append(std::string(OutputLog::kLongestLine + 1, 'x') + "\n\x1b[1mred\r\n");
  const auto lines = log.lines();
  REQUIRE(lines.size() == 2);
  CHECK(lines[0] == std::string(OutputLog::kLongestLine, 'x') + "...");
  CHECK(lines[1] == "?[1mred");
}

TEST_CASE("all output goes into a file as well, up to a limit, made anew for each program") {
  const ktstr::test::TemporaryDirectory directory;
  const auto path = directory.path() / "all";
  const auto content = [&] {
    std::ifstream file(path, std::ios::binary);
    return std::string{std::istreambuf_iterator<char>(file), {}};
  };
  OutputLog log(path.c_str(), 12);
  log.append("one\nt\xffw");
  CHECK(content() == "one\nt?w");
  log.append("o\nthree\nfour\n");
  log.append("five\n");
  CHECK(content() == "one\nt?wo\nthr\n... (the rest was left out)\n");
  CHECK(log.lines() == Lines{"one", "t?wo", "three", "four", "five"});
  CHECK(OutputLog(path.c_str(), 12).lines().empty());
  CHECK(content().empty());
}

TEST_CASE("the file grows no further once there is no room for it") {
  const ktstr::test::TemporaryDirectory directory;
  const auto path = directory.path() / "all";
  bool has_room = true;
  OutputLog log(path.c_str(), 100U << 20, [&] { return has_room; });
  const std::string megabyte = std::string((1U << 20) - 1, 'x') + "\n";
  for (int i = 0; i < 3; ++i) log.append(megabyte);
  CHECK(std::filesystem::file_size(path) == 3 * megabyte.size());
  has_room = false;
  for (int i = 0; i < 3; ++i) log.append(megabyte);
  CHECK(std::filesystem::file_size(path) <= 4 * megabyte.size() + 40);
  std::ifstream file(path, std::ios::binary);
  const std::string content{std::istreambuf_iterator<char>(file), {}};
  CHECK(content.ends_with("x\n... (the rest was left out)\n"));
}
