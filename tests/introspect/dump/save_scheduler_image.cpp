// save_scheduler_image FILE [KERNEL]: an image for the fuzzer of images, and for whoever wants one.
#include <cstdio>

#include "tests/introspect/dump/scheduler_image.h"
#include "tests/introspect/scx/scheduler_guest.h"

using namespace ktstr::introspect::test;

int main(int argc, char** argv) {
  if (argc < 2 || argc > 3) {
    std::fprintf(stderr, "usage: %s FILE [KERNEL]\n", argv[0]);
    return 2;
  }
  const auto kernel = argc > 2 ? std::optional<std::string>(argv[2]) : std::nullopt;
  if (const auto missing = missing_for_scheduler(kernel)) {
    std::fprintf(stderr, "%s\n", missing->c_str());
    return 1;
  }
  const auto saved = save_scheduler_image(argv[1], kernel);
  if (saved) return 0;
  std::fprintf(stderr, "%s\n", saved.error().message.c_str());
  return 1;
}
