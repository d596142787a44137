#include "engine/schedulers/program_search.h"

#include <doctest/doctest.h>

#include "tests/temporary_directory.h"

using namespace ktstr;
using namespace ktstr::engine;
namespace fs = std::filesystem;

namespace {

struct Folders {
  test::TemporaryDirectory directory;
  ProgramPlaces places{.base = directory.path() / "scenarios",
                       .directories = {directory.path() / "scenarios", directory.path() / "bin"}};

  Folders() { fs::create_directories(places.base); }
  /// A copy of a real program.
  fs::path program(const std::string& name) const {
    const auto path = directory.path() / name;
    fs::create_directories(path.parent_path());
    fs::copy_file("/bin/true", path);
    return fs::canonical(path);
  }
  [[nodiscard]] std::string error(const std::string& name) const {
    const auto found = find_program(name, places);
    REQUIRE_FALSE(found);
    auto text = found.error().message;
    for (const auto folder = directory.path().string() + "/"; text.find(folder) != std::string::npos;)
      text.erase(text.find(folder), folder.size());
    return text;
  }
};

}  // namespace

TEST_CASE("a path starts at the scenario's folder, a name is looked for in order") {
  const Folders folders;
  const auto beside = folders.program("scenarios/scx_one");
  const auto shadowed = folders.program("bin/scx_one");
  const auto other = folders.program("bin/scx_two");
  CHECK(find_program("./scx_one", folders.places) == beside);
  CHECK(find_program("../bin/scx_one", folders.places) == shadowed);
  CHECK(find_program(other.string(), folders.places) == other);
  CHECK(find_program("scx_one", folders.places) == beside);
  CHECK(find_program("scx_two", folders.places) == other);
}

TEST_CASE("what is not there is told with the nearest name") {
  const Folders folders;
  (void)folders.program("bin/scx_simple");
  CHECK(folders.error("scx_simpel") ==
        "there is no program \"scx_simpel\" beside the scenario, beside ktstr or on PATH (did you mean "
        "\"scx_simple\"?)");
  CHECK(folders.error("../bin/scx_simpel") ==
        "there is no program bin/scx_simpel (did you mean \"scx_simple\"?)");
  CHECK(folders.error("zzz") == "there is no program \"zzz\" beside the scenario, beside ktstr or on PATH");
}

TEST_CASE("what can't be executed says why") {
  const Folders folders;
  folders.directory.write("bin/plain", "text");
  fs::permissions(folders.directory.write("bin/script", "#!/bin/sh\n"), fs::perms::owner_all);
  CHECK(folders.error("plain") == "bin/plain may not be executed");
  CHECK(folders.error("script") == "bin/script: not a 64-bit ELF program");
  CHECK(folders.error("../bin") == "scenarios/../bin is a directory");
}
