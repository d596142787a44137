#include "engine/run/kernel_options.h"

#include <doctest/doctest.h>

namespace ktstr::engine {

TEST_CASE("the kernel's options lie where libbpf looks for them") {
  CachedKernel kernel;
  kernel.metadata.release = "7.3.4+deb13-cloud-amd64";
  kernel.config = "/cache/config";
  const auto file = kernel_options_file(kernel);
  REQUIRE(file.has_value());
  CHECK(file->path == "boot/config-7.3.4+deb13-cloud-amd64");
  CHECK(std::get<std::filesystem::path>(file->content) == "/cache/config");
  CHECK(file->mode == 0644);
}

TEST_CASE("a kernel whose options are not known has no such file") {
  CHECK_FALSE(kernel_options_file(CachedKernel{}).has_value());
}

TEST_CASE("a loader that found no options is told apart from one that failed otherwise") {
  CHECK_FALSE(missing_options_advice({"libbpf: prog 'x': BPF program load failed: -EINVAL"}));
  const auto advice = missing_options_advice(
      {"libbpf: failed to open system Kconfig", "libbpf: failed to load object 'hz'", "could not load"});
  REQUIRE(advice.has_value());
  CHECK(advice->find("ktstr kernel add IMAGE --config FILE") != std::string::npos);
}

}  // namespace ktstr::engine
