// decode_kallsyms() on any bytes: as a whole ELF file, and as the contents of a segment of a well-formed one.
#include <vector>

#include "engine/base/elf_image.h"
#include "introspect/symbols/kallsyms.h"
#include "tests/base/elf_builder.h"
#include "tests/fuzz/fuzz_input.h"

namespace {

constexpr std::uint64_t kText = 0xffffffff81000000;
constexpr std::uint64_t kTables = 0xffffffff82000000;

void decode(std::span<const std::byte> file) {
  const auto elf = ktstr::ElfImage::open(file);
  if (!elf) return;
  const auto table = ktstr::introspect::decode_kallsyms(*elf);
  if (!table) return;
  for (std::size_t i = 0; i < table->size(); ++i) static_cast<void>(table->address((*table)[i].name));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using ktstr::test::Bytes;
  const auto input = std::as_bytes(std::span(data, size));
  decode(input);
  const auto built = ktstr::test::ElfBuilder()
                         .segment(kText, Bytes(256), 1 << 20)
                         .segment(kTables, Bytes(input.begin(), input.end()))
                         .build();
  decode(built);
  return 0;
}
