// What this process holds: to see that nothing is left behind.
#pragma once

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace ktstr::vmm {

inline std::size_t directory_entries(const char* directory) {
  const std::filesystem::directory_iterator iterator(directory);
  return static_cast<std::size_t>(std::distance(begin(iterator), end(iterator)));
}

struct Resources {
  std::size_t descriptors = directory_entries("/proc/self/fd");
  std::size_t threads = directory_entries("/proc/self/task");
  std::size_t mappings = [] {
    std::ifstream maps("/proc/self/maps");
    return static_cast<std::size_t>(
        std::count(std::istreambuf_iterator<char>(maps), std::istreambuf_iterator<char>(), '\n'));
  }();
};

}  // namespace ktstr::vmm
