#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "tests/vmm/test_guest.h"

namespace ktstr::vmm {
namespace {

std::size_t entries(const char* directory) {
  const std::filesystem::directory_iterator iterator(directory);
  return static_cast<std::size_t>(std::distance(begin(iterator), end(iterator)));
}

struct Resources {
  std::size_t descriptors = entries("/proc/self/fd");
  std::size_t threads = entries("/proc/self/task");
  std::size_t mappings = [] {
    std::ifstream maps("/proc/self/maps");
    return static_cast<std::size_t>(
        std::count(std::istreambuf_iterator<char>(maps), std::istreambuf_iterator<char>(), '\n'));
  }();
};

}  // namespace

TEST_CASE("20 machines, started and ended, leave no descriptor, thread or mapping") {
  TEST_CONFIG(config, "1n1l2c1t");
  const auto cycle = [&] { REQUIRE(start_machine(config, kTestBackend).has_value()); };
  cycle();  // what the C library keeps from the first time on
  const Resources before;
  for (int i = 0; i < 20; ++i) cycle();
  const Resources after;
  CHECK(after.descriptors == before.descriptors);
  CHECK(after.threads == before.threads);
  CHECK(after.mappings <= before.mappings + 2);  // malloc's arenas come and go with threads
}

}  // namespace ktstr::vmm
