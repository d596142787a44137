// What is looked for in files that processes run, in any bytes.
#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>

#include "introspect/ctprof/jemalloc/jemalloc_file.h"

using namespace ktstr;
using namespace ktstr::introspect::ctprof;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Fd file(::memfd_create("input", MFD_CLOEXEC));
  if (!file || ::write(file.get(), data, size) != static_cast<ssize_t>(size)) std::abort();
  if (const auto found = examine(file, "/nowhere/input")) static_cast<void>(found->link_address(0));
  return 0;
}
