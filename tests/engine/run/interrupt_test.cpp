#include "engine/run/interrupt.h"

#include <doctest/doctest.h>

#include <csignal>

using namespace ktstr::engine;

TEST_CASE("a signal makes the stop fd readable, and it stays so") {
  const auto interrupt = Interrupt::install();
  REQUIRE(interrupt);
  CHECK_FALSE((*interrupt)->requested());
  ::raise(SIGINT);
  CHECK((*interrupt)->requested());
  CHECK((*interrupt)->requested());
}

TEST_CASE("SIGTERM counts like Ctrl-C") {
  const auto interrupt = Interrupt::install();
  REQUIRE(interrupt);
  ::raise(SIGTERM);
  CHECK((*interrupt)->requested());
}

TEST_CASE("the former handlers come back") {
  struct sigaction before {
  }, during{}, after{};
  ::sigaction(SIGINT, nullptr, &before);
  {
    const auto interrupt = Interrupt::install();
    REQUIRE(interrupt);
    ::sigaction(SIGINT, nullptr, &during);
  }
  ::sigaction(SIGINT, nullptr, &after);
  CHECK((during.sa_handler != before.sa_handler));
  CHECK((after.sa_handler == before.sa_handler));
}
