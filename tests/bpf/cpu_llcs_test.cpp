#include "bpf/scx_ktstr/cpu_llcs.h"

#include <doctest/doctest.h>

#include <fstream>
#include <string>

#include "tests/temporary_directory.h"

using namespace ktstr;
using Llcs = std::vector<std::uint32_t>;

namespace {

class FakeCpus {
 public:
  /// Adds the next CPU; its L3 is shared by the CPUs of the list, or it has none.
  void add(const std::string& l3_sharers) {
    const auto cpu = directory_.path() / ("cpu" + std::to_string(count_++));
    std::filesystem::create_directories(cpu / "cache/index3");
    if (!l3_sharers.empty()) std::ofstream(cpu / "cache/index3/shared_cpu_list") << l3_sharers << "\n";
  }
  [[nodiscard]] bpf::CpuLlcs read() const { return bpf::read_cpu_llcs(directory_.path()); }

 private:
  test::TemporaryDirectory directory_;
  int count_ = 0;
};

}  // namespace

TEST_CASE("CPUs with the same sharers have the same LLC, numbered by their first CPU") {
  FakeCpus cpus;
  for (const char* sharers : {"0,2", "1,3", "0,2", "1,3"}) cpus.add(sharers);
  const auto llcs = cpus.read();
  CHECK(llcs.count == 2);
  CHECK(llcs.of_cpu == Llcs{0, 1, 0, 1});
}

TEST_CASE("CPUs without an L3 are all in LLC 0") {
  FakeCpus cpus;
  for (int i = 0; i < 3; ++i) cpus.add("");
  const auto llcs = cpus.read();
  CHECK(llcs.count == 1);
  CHECK(llcs.of_cpu == Llcs{0, 0, 0});
}

TEST_CASE("a machine without CPU directories has one LLC and no CPU") {
  const auto llcs = bpf::read_cpu_llcs("/no/such/directory");
  CHECK(llcs.count == 1);
  CHECK(llcs.of_cpu.empty());
}
