#include "engine/schedulers/library_cache.h"

#include <doctest/doctest.h>

#include <cstring>

#include "tests/temporary_directory.h"

using namespace ktstr;
using namespace ktstr::engine;
using Paths = std::vector<std::filesystem::path>;

namespace {

struct Line {
  std::int32_t flags;
  std::uint64_t hwcap;
  std::string soname;
  std::string path;
};

/// As ldconfig writes it: header of 48 bytes, entries of 24, strings.
std::string cache_of(const std::vector<Line>& lines) {
  std::string entries, strings;
  const auto strings_at = 48 + 24 * lines.size();
  const auto put = [](std::string& out, auto value) {
    out.append(reinterpret_cast<const char*>(&value), sizeof value);
  };
  const auto add_string = [&](const std::string& text) {
    const auto at = static_cast<std::uint32_t>(strings_at + strings.size());
    strings += text + '\0';
    return at;
  };
  for (const auto& line : lines) {
    put(entries, line.flags);
    put(entries, add_string(line.soname));
    put(entries, add_string(line.path));
    put(entries, std::uint32_t{0});
    put(entries, line.hwcap);
  }
  std::string file = "glibc-ld.so.cache1.1";
  put(file, static_cast<std::uint32_t>(lines.size()));
  put(file, static_cast<std::uint32_t>(strings.size()));
  file.resize(48);
  return file + entries + strings;
}

Result<LibraryCache> parse(const std::string& file) {
  return LibraryCache::parse(std::as_bytes(std::span(file)));
}

constexpr std::int32_t kX86_64 = 0x0303;

}  // namespace

TEST_CASE("libraries for every x86-64 CPU are found, others are left out") {
  const auto cache =
      parse(cache_of({{kX86_64, 0, "liba.so.1", "/lib/liba.so.1"},
                      {kX86_64, 1ULL << 62, "liba.so.1", "/lib/glibc-hwcaps/x86-64-v3/liba.so.1"},
                      {0x0003, 0, "libb.so", "/lib32/libb.so"},
                      {kX86_64, 0, "liba.so.1", "/usr/lib/liba.so.1"}}));
  REQUIRE(cache);
  CHECK(cache->find("liba.so.1") == Paths{"/lib/liba.so.1", "/usr/lib/liba.so.1"});
  CHECK(cache->find("libb.so").empty());
  CHECK(cache->find("libc.so").empty());
}

TEST_CASE("an older table in front is skipped") {
  const auto cache =
      parse("ld.so-1.7.0 and what follows" + cache_of({{kX86_64, 0, "liba.so", "/lib/liba.so"}}));
  REQUIRE(cache);
  CHECK(cache->find("liba.so") == Paths{"/lib/liba.so"});
}

TEST_CASE("a cut file is damaged, another one no cache") {
  const auto whole = cache_of({{kX86_64, 0, "liba.so", "/lib/liba.so"}});
  for (std::size_t size = 20; size < whole.size(); ++size)
    CHECK(parse(whole.substr(0, size)).error().message == "damaged library cache");
  CHECK(parse("something else").error().message == "not a library cache");
}

TEST_CASE("a missing cache is empty") {
  const test::TemporaryDirectory directory;
  const auto cache = LibraryCache::load(directory.path() / "none");
  REQUIRE(cache);
  CHECK(cache->find("libc.so.6").empty());
}
