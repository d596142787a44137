// What is looked for in files that processes run, in any bytes; and the reading of the counters where such a
// file says they are, in this process's own memory.
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cstdlib>

#include "introspect/ctprof/jemalloc/jemalloc_file.h"
#include "introspect/ctprof/jemalloc/process_heap.h"
#include "tests/fuzz/fuzz_input.h"

using namespace ktstr;
using namespace ktstr::introspect::ctprof;

namespace {

/// Both words are those that lie there, or both can't be read.
void read_as_said(std::int64_t offset, const TsdLayout& layout) {
  static const std::array<std::uint64_t, 512> kMemory = [] {
    std::array<std::uint64_t, 512> words{};
    for (std::size_t i = 0; i < words.size(); ++i) words[i] = i * 0x0101010101010101U;
    return words;
  }();
  const ProcessVirt begin(reinterpret_cast<std::uint64_t>(kMemory.data()));
  const auto counters = read_copy(::getpid(), begin, {offset, layout});
  const auto check = [&](std::uint64_t place, std::uint64_t value) {
    const auto from_begin = static_cast<std::uint64_t>(offset) + place;
    const bool inside = from_begin % 8 == 0 && from_begin / 8 < kMemory.size();
    if (inside && value != kMemory[from_begin / 8]) std::abort();
  };
  if (!counters) return;
  check(layout.allocated, counters->allocated);
  check(layout.deallocated, counters->deallocated);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Fd file(::memfd_create("input", MFD_CLOEXEC));
  if (!file || ::write(file.get(), data, size) != static_cast<ssize_t>(size)) std::abort();
  if (const auto found = examine(file, "/nowhere/input")) {
    static_cast<void>(found->link_address(0));
    read_as_said(0, found->layout);
  }
  fuzz::FuzzInput input(data, size);
  const auto offset = input.take<std::int64_t>();
  const auto allocated = input.take<std::uint64_t>(), deallocated = input.take<std::uint64_t>();
  read_as_said(offset, {allocated, deallocated});
  read_as_said(offset % 4096, {allocated % 4096, deallocated % 4096});
  return 0;
}
