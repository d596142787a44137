// Machines with APIC ids above 254.
#include <doctest/doctest.h>

#include "vmm/apic_id.h"
#include "vmm/kvm/boot.h"
#include "vmm/kvm/vm.h"

namespace ktstr::vmm::kvm {

TEST_CASE("a message's destination reaches KVM with all its bits") {
  CHECK(msi_address_for_kvm(0xfee01000) == 0xfee01000);            // id 1
  CHECK(msi_address_for_kvm(0xfeeff000) == 0xfeeff000);            // 255
  CHECK(msi_address_for_kvm(0xfee00020) == 0x100'fee00000);        // 256
  CHECK(msi_address_for_kvm(0xfeeff020) == 0x100'feeff000);        // 511
  CHECK(msi_address_for_kvm(0xfeefffe0) == 0x7f00'feeff000);       // 32767
  CHECK(msi_address_for_kvm(0x1234'0000'fee02004) == 0xfee02004);  // logical destination; no high half
}

TEST_CASE("devices interrupt CPUs that the I/O APIC can address") {
  CHECK(own_kernel_arguments(*Topology::parse("1n255l1c1t")).empty());
  CHECK(own_kernel_arguments(*Topology::parse("2n32l4c2t")) == " irqaffinity=0-254");
  const auto sparse = *Topology::parse("1n14l9c2t");
  CHECK(own_kernel_arguments(sparse) == " irqaffinity=0-143");
  CHECK(apic_id(sparse, 143) == 241);
  CHECK(apic_id(sparse, 144) == 256);
}

}  // namespace ktstr::vmm::kvm
