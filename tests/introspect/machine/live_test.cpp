// CPU times, pressure and NUMA counters out of a running guest's memory, against the guest's own files.
#include <doctest/doctest.h>

#include "engine/kernels/kernel_store.h"
#include "tests/introspect/machine/live_checks.h"
#include "tests/skip.h"

namespace ktstr::introspect::test {
namespace {

/// Why no such kernel can be booted.
std::optional<std::string> missing(const std::optional<std::string>& kernel) {
  const auto store = engine::KernelStore::open();
  if (!store) return store.error().message;
  const auto cached = store->resolve(kernel);
  return cached ? std::nullopt : std::optional(cached.error().message);
}

void check_guest(const std::optional<std::string>& kernel) {
  auto booted = LiveGuest::boot(kTopology, kernel);
  REQUIRE_MESSAGE(booted.has_value(), booted.error().message);
  check_numa(**booted);
  check_cpu_times(**booted);
  check_pressure(**booted);
}

}  // namespace

TEST_CASE("the default kernel's CPU times, pressure and NUMA counters agree with its own files") {
  if (const auto reason = missing(std::nullopt)) SKIP_TEST(*reason);
  check_guest(std::nullopt);
}

TEST_CASE("an older kernel's CPU times, pressure and NUMA counters agree with its own files") {
  if (const auto reason = missing("6.18")) SKIP_TEST(*reason);
  check_guest("6.18");
}

}  // namespace ktstr::introspect::test
