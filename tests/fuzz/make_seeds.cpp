// make_seeds DIRECTORY: writes the inputs that fuzzing begins with, DIRECTORY/TARGET/NAME.
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <random>

#include "engine/base/write.h"
#include "introspect/ctprof/file.h"
#include "introspect/dump/dump.h"
#include "tests/introspect/ctprof/sample_files.h"
#include "tests/introspect/dump/sample_dump.h"
#include "tests/introspect/render/made_btf.h"
#include "tests/introspect/symbols/kallsyms_encoder.h"
#include "tests/vmm/kvm/tiny_bzimage.h"
#include "tests/vmm/tiny_kernel.h"

using namespace ktstr;
using test::Bytes;

namespace {

std::filesystem::path root;

void write_seed(const char* target, const char* name, const Bytes& bytes) {
  std::filesystem::create_directories(root / target);
  std::ofstream file(root / target / name, std::ios::binary);
  file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
}

/// Every kind of type that values are made of.
Bytes all_types() {
  introspect::test::MadeBtf types;
  const int u32 = types.u32(), u64 = types.u64();
  const int character = types.integer("char", 1, BTF_INT_CHAR);
  const int flag = types.integer("_Bool", 1, BTF_INT_BOOL);
  const int color = btf__add_enum(types.raw(), "color", 4);
  btf__add_enum_value(types.raw(), "RED", 0);
  btf__add_enum_value(types.raw(), "BLUE", 7);
  const int point = types.union_of("point", 8, {{"both", u64, 0}, {"x", u32, 0}});
  const int mask = types.structure("cpumask", 16, {{"bits", types.array(u64, 2), 0}});
  const int record = types.structure("record", 72,
                                     {{"number", u64, 0},
                                      {"point", point, 64},
                                      {"cpus", types.pointer(mask), 128},
                                      {"low", u32, 192, 3},
                                      {"color", color, 224},
                                      {"label", types.array(character, 8), 256},
                                      {"flag", flag, 320},
                                      {"next", types.pointer(point), 384},
                                      {"series", types.array(u32, 4), 448},
                                      {"rest", types.array(u64, 0), 576}});
  const int variable = introspect::test::MadeBtf::variable(types.raw(), "counters", record);
  types.datasec(".bss", 72);
  btf__add_datasec_var_info(types.raw(), variable, 0, 72);
  return types.bytes();
}

/// render_fuzz.cpp: the length of the types, they, the number of one, and a value.
Bytes rendering(std::uint16_t first_type) {
  const Bytes types = all_types();
  Bytes input;
  test::append_value(input, static_cast<std::uint16_t>(types.size()));
  test::append(input, types);
  test::append_value(input, first_type);
  for (std::uint64_t word = 0; word < 12; ++word) test::append_value(input, word * 0x0101'0101'0000'0001);
  return input;
}

/// walk_fuzz.cpp: where the head is, and a word of the arena for each number.
Bytes words(std::initializer_list<std::uint16_t> numbers) {
  Bytes input;
  for (const std::uint16_t number : numbers) test::append_value(input, number);
  return input;
}

Bytes noise(std::size_t size) {
  std::mt19937 random(1);
  Bytes bytes(size);
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(random());
  return bytes;
}

Bytes kernel_symbols(const test::KallsymsLayout& layout) {
  constexpr std::uint64_t kText = 0xffffffff81000000, kTables = 0xffffffff82000000;  // kallsyms_fuzz.cpp
  std::vector<test::KallsymsSymbol> symbols = {{kText, "T_text"}, {kText, "T_stext"}};
  for (std::uint64_t i = 0; i < 20; ++i)
    symbols.push_back({kText + i * 48, "Tdo_function_" + std::to_string(i)});
  symbols.push_back({kTables + 0x100, "d" + std::string(130, 'q')});
  return test::KallsymsEncoder(symbols, layout, kTables).encode();
}

void write_kallsyms() {
  using enum test::Offsets;
  const Bytes newest = kernel_symbols({});
  write_seed("kallsyms", "place_relative", newest);
  write_seed("kallsyms", "base_relative", kernel_symbols({kBaseRelative, false, 8, 3}));
  write_seed("kallsyms", "before_6_4", kernel_symbols({kAbsolutePercpu, true, 8, 0}));
  write_seed("kallsyms", "whole_elf",
             test::ElfBuilder()
                 .segment(0xffffffff81000000, Bytes(64), 1 << 20)
                 .segment(0xffffffff82000000, newest)
                 .build());
}

void write_dumps() {
  introspect::DegradedFailureDumpReport degraded;
  degraded.reason = "no vCPU stopped";
  degraded.vcpu_regs = {introspect::VcpuRegSnapshot{}, std::nullopt};
  write_seed("dump", "single", test::bytes_of(to_json(introspect::testing::sample_report())));
  write_seed("dump", "dual", test::bytes_of(to_json(introspect::DualFailureDumpReport{})));
  write_seed("dump", "degraded", test::bytes_of(to_json(degraded)));
}

void append_bytes(Bytes& input, std::initializer_list<int> bytes) {
  for (const int byte : bytes) input.push_back(static_cast<std::byte>(byte));
}

/// register_access.h, behind a byte that chooses it: writing one byte, or reading a dword.
void append_write(Bytes& input, std::uint8_t choice, std::uint16_t offset, std::uint8_t value) {
  append_bytes(input, {choice, 0});
  test::append_value(input, offset);
  test::append_value(input, value);
}

void append_read(Bytes& input, std::uint8_t choice, std::uint16_t offset) {
  append_bytes(input, {choice, 6});
  test::append_value(input, offset);
}

/// serial_fuzz.cpp: FIFOs and interrupts on, a byte each way, and loopback.
Bytes serial_line() {
  Bytes input;
  for (const auto& [offset, value] : {std::pair{2, 7}, {3, 3}, {4, 11}, {1, 15}, {0, 'x'}})
    append_write(input, 0, static_cast<std::uint16_t>(offset), static_cast<std::uint8_t>(value));
  append_bytes(input, {0xe2, 'a', 'b', 0xf0});
  append_write(input, 0, 4, 0x1a);
  append_write(input, 0, 0, 'y');
  for (const std::uint16_t offset : {0, 2, 4}) append_read(input, 0, offset);
  return input;
}

/// pci_fuzz.cpp: the size of the BAR, MSI-X on, a vector open and sent.
Bytes pci_function() {
  Bytes input;
  const auto select = [&](std::uint8_t reg) { append_bytes(input, {0x60, reg}); };
  const auto write_dword = [&](std::uint8_t choice, std::uint16_t offset, std::uint32_t value) {
    append_bytes(input, {choice, 2});
    test::append_value(input, offset);
    test::append_value(input, value);
  };
  select(0x10), write_dword(0, 4, 0xffffffff), append_read(input, 0, 4);
  select(0x40), write_dword(0, 4, 0x80000000);
  for (const std::uint16_t entry : {0, 16}) {
    write_dword(0x70, entry, 0xfee00000);
    write_dword(0x70, static_cast<std::uint16_t>(entry + 12), 0);
  }
  append_bytes(input, {0xc4, 0xc5, 0xe0, 0xf0});
  return input;
}

/// virtqueue_fuzz.cpp: the port opened, and bytes both ways.
Bytes console_port() {
  Bytes input;
  const auto offer = [&](std::uint8_t queue, std::uint8_t bytes, std::uint16_t place) {
    const auto choice = static_cast<std::uint8_t>(0x90 + queue);  // 0x90 is a multiple of 6
    append_bytes(input, {choice, bytes});
    test::append_value(input, place);
  };
  constexpr std::uint8_t kProcess = 0x80, kMessage = 0xa0, kHost = 0xb0;
  for (int i = 0; i < 4; ++i) offer(2, 32, 0x6000);
  for (const int event : {0, 3, 6}) append_bytes(input, {kMessage, event, kProcess});
  offer(4, 33, 0x6100), offer(5, 9, 0x6200);
  append_bytes(input, {kHost, 66, kProcess, kHost, 0, kProcess});
  offer(4, 32, 0x6300);
  append_bytes(input, {kHost, 17, kProcess});
  return input;
}

/// loader_fuzz.cpp: a byte of choices, and a kernel.
Bytes kernel_to_load(std::uint8_t choice, const Bytes& kernel) {
  Bytes input;
  test::append_value(input, choice);
  test::append(input, kernel);
  return input;
}

void write_kernels() {
  constexpr std::uint8_t kKaslr = 1, kInitramfs = 4;
  const Bytes elf = vmm::test::TinyKernel().bytes();
  vmm::kvm::test::TinyBzImage bzimage;
  bzimage.header.init_size = 4 << 20;
  write_seed("loader", "elf", kernel_to_load(kInitramfs, elf));
  write_seed("loader", "elf_kaslr", kernel_to_load(kKaslr | kInitramfs, elf));
  write_seed("loader", "bzimage", kernel_to_load(kInitramfs, bzimage.bytes()));
}

/// ctprof_fuzz.cpp: a byte of choice, and a file.
void write_ctprof() {
  namespace ctprof = introspect::ctprof;
  const auto write_text = [](const char* name, char choice, std::string_view text) {
    write_seed("ctprof", name, test::bytes_of(std::string(1, choice).append(text)));
  };
  ctprof::Snapshot snapshot;
  snapshot.threads.resize(1);
  snapshot.cgroup_stats["/a"].memory.max = ctprof::Limit{};
  write_text("stat", 0, ctprof::test::kStat);
  write_text("schedstat", 1, "127882 335647 12\n");
  write_text("status", 2, "State:\tR (running)\nThreads:\t1\nCpus_allowed_list:\t0-1,8\n");
  write_text("io", 3, "rchar: 7294\nwrite_bytes: 0\n");
  write_text("sched", 4, ctprof::test::sched_file(ctprof::test::kSchedLines));
  write_text("rollup", 5, "0-1 ---p 0 00:00 0 [rollup]\nRss:  100 kB\n0::/work\n");
  write_text("psi", 6, "some avg10=1.50 avg60=0.00 avg300=0.00 total=7\n");
  write_text("flat", 6, "usage_usec 9\nnr_throttled 2\nmax 100000\nMemTotal: 9 kB\nCONFIG_PSI=y\n");
  write_text("taskstats", 7, std::string(560, '\1'));
  write_text("json", 8, to_json(snapshot));
  write_text("file", 9, ctprof::compress_snapshot(snapshot).value());
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: %s DIRECTORY\n", argv[0]);
    return 2;
  }
  root = argv[1];
  write_seed("btf", "all_types", all_types());
  write_seed("render", "first_types", rendering(1));
  write_seed("render", "last_types", rendering(12));
  write_seed("walk", "list", words({0, 16, 32, 32, 0, 0, 16}));
  write_seed("walk", "hash_chain", words({0, 16, 0, 32, 0, 48, 16, 65}));
  write_seed("walk", "xarray", words({0, 0, 66, 0, 0, 0, 0, 0, 0, 0, 0, 256, 512}));
  write_seed("image", "one_word", words({7, 0, 128, 1, 2, 3, 4, 5}));
  write_seed("image", "many_words", noise(960));
  write_seed("serial", "line", serial_line());
  write_seed("pci", "function", pci_function());
  write_seed("virtqueue", "console_port", console_port());
  write_kallsyms();
  write_kernels();
  write_dumps();
  write_ctprof();
}
