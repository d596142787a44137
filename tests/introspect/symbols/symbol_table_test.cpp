#include "introspect/symbols/symbol_table.h"

#include <doctest/doctest.h>
#include <lzma.h>

#include <cstring>
#include <fstream>

#include "engine/base/durable_file.h"
#include "tests/base/elf_builder.h"
#include "tests/temporary_directory.h"

using namespace ktstr;
using introspect::Symbol;
using introspect::SymbolColumns;
using introspect::SymbolTable;
using test::Bytes;
using test::TemporaryDirectory;

namespace {

constexpr std::size_t kHeaderBytes = 32;

SymbolTable small_table() {
  SymbolColumns columns;
  columns.add(KernelVirt(0x1000), 'T', "_text");
  columns.add(KernelVirt(0x1000), 'T', "startup");
  columns.add(KernelVirt(0x1010), 't', "helper");
  columns.add(KernelVirt(0x1030), 'T', "start_kernel");
  columns.add(KernelVirt(0x1050), 't', "helper");
  columns.add(KernelVirt(0x2000), 't', "runqueues");
  return SymbolTable::build(columns);
}

Bytes file_of(const SymbolTable& table) {
  const TemporaryDirectory directory;
  REQUIRE(table.save(directory.path() / "symbols"));
  const auto file = MappedFile::open(directory.path() / "symbols");
  REQUIRE(file);
  return {file->bytes().begin(), file->bytes().end()};
}

/// Makes the checksum right again over changed contents.
Bytes with_checksum(Bytes file, std::uint64_t minor_version = 0) {
  const std::uint64_t checksum = lzma_crc64(reinterpret_cast<const std::uint8_t*>(file.data()) + kHeaderBytes,
                                            file.size() - kHeaderBytes, minor_version);
  std::memcpy(file.data() + 24, &checksum, sizeof checksum);
  return file;
}

std::string load_error(const Bytes& file) {
  const TemporaryDirectory directory;
  REQUIRE(write_new_file(directory.path() / "symbols", file));
  const auto table = SymbolTable::load(directory.path() / "symbols");
  if (table) return "no error";
  const bool other_version = table.error().message.find(" ktstr (format ") != std::string::npos;
  CHECK(table.error().code == (other_version ? ErrorCode::kUnavailable : ErrorCode::kCorrupt));
  return table.error().message;
}

}  // namespace

TEST_CASE("symbols are found by exact name, whatever their type") {
  const SymbolTable table = small_table();
  CHECK(table.address("start_kernel") == KernelVirt(0x1030));
  CHECK(table.address("runqueues") == KernelVirt(0x2000));
  CHECK(table.address("start") == std::nullopt);
  CHECK(table.address("") == std::nullopt);
}

TEST_CASE("of symbols that share a name all are found, the lowest first") {
  const SymbolTable table = small_table();
  CHECK(table.address("helper") == KernelVirt(0x1010));
  const auto helpers = table.all("helper");
  REQUIRE(helpers.size() == 2);
  CHECK(helpers[0].address == KernelVirt(0x1010));
  CHECK(helpers[1].address == KernelVirt(0x1050));
  CHECK(table.all("nobody").empty());
}

TEST_CASE("the nearest symbol is the last at or below, of aliases the first") {
  const SymbolTable table = small_table();
  CHECK_FALSE(table.nearest(KernelVirt(0xfff)));
  CHECK(table.nearest(KernelVirt(0x1000))->symbol.name == "_text");
  CHECK(table.nearest(KernelVirt(0x100f))->symbol.name == "_text");
  CHECK(table.nearest(KernelVirt(0x100f))->offset_bytes == 0xf);
  CHECK(table.nearest(KernelVirt(0x1030))->symbol.name == "start_kernel");
  CHECK(table.nearest(KernelVirt(0x9000))->symbol.name == "runqueues");
  CHECK_FALSE(SymbolTable().nearest(KernelVirt(0x1000)));
}

TEST_CASE("a table survives its index file and being moved") {
  const TemporaryDirectory directory;
  REQUIRE(small_table().save(directory.path() / "symbols"));
  auto loaded = SymbolTable::load(directory.path() / "symbols");
  REQUIRE(loaded);
  const SymbolTable table = std::move(*loaded);
  const SymbolTable expected = small_table();
  REQUIRE(table.size() == expected.size());
  for (std::size_t i = 0; i < table.size(); ++i) {
    CHECK(table[i].address == expected[i].address);
    CHECK(table[i].type == expected[i].type);
    CHECK(table[i].name == expected[i].name);
  }
  CHECK(file_of(table) == file_of(expected));
}

TEST_CASE("an empty table survives its index file") {
  const Bytes file = file_of(SymbolTable::build({}));
  CHECK(load_error(file) == "no error");
}

TEST_CASE("an index file cut short, or with any byte changed, is an error") {
  const Bytes file = file_of(small_table());
  for (std::size_t size = 0; size < file.size(); ++size)
    CHECK(load_error({file.begin(), file.begin() + static_cast<std::ptrdiff_t>(size)}) != "no error");
  for (std::size_t at = 0; at < file.size(); ++at) {
    Bytes changed = file;
    changed[at] ^= std::byte{1};
    CHECK(load_error(changed) != "no error");
  }
}

TEST_CASE("parts that a newer minor version added are left out") {
  Bytes file = file_of(small_table());
  const std::uint32_t version = 1 | 2 << 16;
  std::memcpy(file.data() + 8, &version, sizeof version);
  file.resize(file.size() + 100);
  CHECK(load_error(with_checksum(file, 2)) == "no error");
  CHECK(load_error(with_checksum(file, 0)).find("checksum mismatch") != std::string::npos);
}

TEST_CASE("what is wrong with an index file is said, even under a right checksum") {
  const Bytes file = file_of(small_table());
  const auto with_u32 = [&](std::size_t at, std::uint32_t value) {
    Bytes changed = file;
    std::memcpy(changed.data() + at, &value, sizeof value);
    return load_error(with_checksum(changed));
  };
  constexpr std::size_t kAddresses = kHeaderBytes, kByName = kAddresses + 6 * 8, kNameEnds = kByName + 6 * 8;
  CHECK(with_u32(0, 0).find("wrong magic") != std::string::npos);
  CHECK(with_u32(8, 9).find("written by a newer ktstr (format 9.0; this one reads 1.x): use a ktstr of that "
                            "version or newer") != std::string::npos);
  CHECK(with_u32(12, 7).find("do not fit 7 symbols") != std::string::npos);
  CHECK(with_u32(12, 0xffffffff).find("do not fit 4294967295 symbols") != std::string::npos);
  CHECK(with_u32(kAddresses, 0x9999).find("addresses are not ascending") != std::string::npos);
  CHECK(with_u32(kByName, 0xffffffff).find("name index is not ascending") != std::string::npos);
  CHECK(with_u32(kByName + 5 * 8 + 4, 6).find("points outside the symbols") != std::string::npos);
  CHECK(with_u32(kNameEnds, 0xffff).find("name offsets are not ascending") != std::string::npos);
  CHECK(with_u32(kNameEnds + 5 * 4, 0xffff).find("names do not fill their part") != std::string::npos);
}

TEST_CASE("a missing index file is not found") {
  const auto table = SymbolTable::load("/nonexistent/symbols");
  REQUIRE_FALSE(table);
  CHECK(table.error().code == ErrorCode::kNotFound);
}
