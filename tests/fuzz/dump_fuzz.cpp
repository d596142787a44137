// parse_dump() on any text.
#include <string_view>

#include "introspect/dump/dump.h"
#include "tests/fuzz/fuzz_input.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static_cast<void>(
      ktstr::introspect::parse_dump(std::string_view(reinterpret_cast<const char*>(data), size)));
  return 0;
}
