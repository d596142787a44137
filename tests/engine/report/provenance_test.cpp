#include "engine/report/provenance.h"

#include <doctest/doctest.h>
#include <sched.h>
#include <sys/utsname.h>

#include <fstream>
#include <iterator>
#include <string>

using namespace ktstr::engine;

TEST_CASE("the host is what uname and /proc/cpuinfo say") {
  struct utsname names {};
  REQUIRE(::uname(&names) == 0);
  const auto host = this_host();
  CHECK(host.kernel.find(names.release) != std::string::npos);
  CHECK(host.kernel.ends_with(names.machine));
  std::ifstream file("/proc/cpuinfo");
  const std::string cpuinfo{std::istreambuf_iterator<char>(file), {}};
  REQUIRE(host.cpu_model);
  CHECK(cpuinfo.find(": " + *host.cpu_model + "\n") != std::string::npos);
  CHECK(host.cpus > 0);
}
