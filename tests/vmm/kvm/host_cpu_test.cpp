#include "vmm/kvm/host_cpu.h"

#include <doctest/doctest.h>

#include <fstream>
#include <sstream>

namespace ktstr::vmm::kvm {

TEST_CASE("only a host that Linux sees a hypervisor under is emulated") {
  std::stringstream cpus;
  cpus << std::ifstream("/proc/cpuinfo").rdbuf();
  const bool has_hypervisor = cpus.str().find(" hypervisor") != std::string::npos;
  CHECK((has_hypervisor || !host_is_emulated()));
}

}  // namespace ktstr::vmm::kvm
