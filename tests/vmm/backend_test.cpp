#include "vmm/backend.h"

#include <doctest/doctest.h>

#include "tests/skip.h"

namespace ktstr::vmm {

TEST_CASE("a backend that needs KVM says at once why this host's KVM does not do") {
  const auto reason = why_not_kvm();
  if (!reason) SKIP_TEST("this host's KVM boots kernels");
  for (const auto backend : {Backend::kKvm, Backend::kQemuKvm}) {
    const auto refused = start_machine({}, backend);  // its files are not looked at
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().code == ErrorCode::kUnavailable);
    CHECK(refused.error().message == "backend " + std::string(enum_name(backend)) +
                                         " does not work on this host: " + *reason +
                                         "; --backend qemu emulates a machine");
  }
}

}  // namespace ktstr::vmm
