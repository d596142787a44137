// Which files a scenario was read from.
#include <doctest/doctest.h>

#include "engine/base/sha256.h"
#include "lua/version.h"
#include "tests/lua/bundle.h"

namespace ktstr::lua {

TEST_CASE("a scenario's files are the script and what it required, with their digests") {
  const Bundle bundle;
  const std::string inner = "return 2\n", helper = "return require \"lib.inner\" + 1\n";
  const std::string script =
      "local k = require \"ktstr\"\nlocal n = require \"helper\"\n"
      "return k.scenario { cgroups = { web = { works = { k.work.cpu_spin { workers = n } } } } }\n";
  bundle.write("lib/inner.lua", inner);
  bundle.write("helper.lua", helper);
  const auto path = bundle.write("foo.lua", script);
  const auto host = ScriptHost::load(path);
  REQUIRE_MESSAGE(host, host.error().message);
  const auto files = host->files();
  CHECK(files.path == path.string());
  CHECK(files.sha256 == sha256(script));
  REQUIRE(files.modules.size() == 2);
  CHECK(files.modules[0].path == (bundle.directory() / "helper.lua").string());
  CHECK(files.modules[0].sha256 == sha256(helper));
  CHECK(files.modules[1].path == (bundle.directory() / "lib/inner.lua").string());
  CHECK(files.modules[1].sha256 == sha256(inner));
}

TEST_CASE("a build knows its version, and its commit when there is a repository") {
  const auto build = this_build();
  CHECK(build.version == KTSTR_VERSION);
  const auto commit = build.commit.value_or("");
  CHECK((commit.empty() || commit.substr(0, 12).find_first_not_of("0123456789abcdef") == std::string::npos));
  CHECK(version_text() == "ktstr " + build.version + (commit.empty() ? "" : " (" + commit + ")"));
}

}  // namespace ktstr::lua
