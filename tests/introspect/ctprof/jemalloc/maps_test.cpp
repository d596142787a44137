#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "introspect/ctprof/jemalloc/process_heap.h"

namespace ktstr::introspect::ctprof {
namespace {

constexpr const char* kMaps =
    "55d0c8a00000-55d0c8a02000 r--p 00000000 fe:00 131                        /usr/bin/prog name\n"
    "55d0c8a02000-55d0c8a05000 r-xp 00002000 fe:00 131                        /usr/bin/prog name\n"
    "55d0c8a05000-55d0c8a06000 r-xp 00009000 fe:00 131                        /usr/bin/prog name\n"
    "7f0000000000-7f0000001000 rwxp 00000000 00:00 0 \n"
    "7f0000100000-7f0000200000 r-xp 00001000 00:1f 99                         /lib/x.so (deleted)\n"
    "7fff12340000-7fff12342000 r-xp 00000000 00:00 0                          [vdso]\n";

}  // namespace

TEST_CASE("the files that a process runs code from, each once") {
  CHECK(parse_maps(kMaps) == std::vector<MappedCode>{
                                 {{"fe:00", 131},
                                  ProcessVirt(0x55d0c8a02000),
                                  ProcessVirt(0x55d0c8a05000),
                                  0x2000,
                                  "/usr/bin/prog name"},
                                 {{"00:1f", 99},
                                  ProcessVirt(0x7f0000100000),
                                  ProcessVirt(0x7f0000200000),
                                  0x1000,
                                  "/lib/x.so (deleted)"},
                             });
}

TEST_CASE("lines of maps that are not as they should be are passed over") {
  for (const auto* text :
       {"", "\n", "x", "12-34 r-xp", "12-34 r-xp 0 fe:00 1 /cut off", "-34 r-xp 0 fe:00 1 /a\n",
        "12-34 r-xp 0 fe:00 0 /a\n", "12-34 r-xp zz fe:00 1 /a\n", "12-34 xx 0 fe:00 1 /a\n",
        "112233445566778899-34 r-xp 0 fe:00 1 /a\n", "12-34 r-xp 0 fe:00 -1 /a\n"})
    CHECK(parse_maps(text).empty());
}

TEST_CASE("this program's own code is found at its path") {
  std::ifstream maps("/proc/self/maps");
  std::stringstream text;
  text << maps.rdbuf();
  const auto code = parse_maps(text.str());
  const auto own = std::filesystem::read_symlink("/proc/self/exe").string();
  const auto found = std::ranges::find(code, own, &MappedCode::path);
  REQUIRE(found != code.end());
  const auto here = ProcessVirt(reinterpret_cast<std::uint64_t>(&parse_maps));
  CHECK(here >= found->start);
  CHECK(here < found->end);
}

}  // namespace ktstr::introspect::ctprof
