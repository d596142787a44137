// What processes do to those who look at them costs them their own counters, and nothing else.
#include <elf.h>
#include <fcntl.h>
#include <sys/mman.h>

#include <fstream>

#include "introspect/ctprof/capture.h"
#include "introspect/ctprof/jemalloc/probe.h"
#include "introspect/ctprof/jemalloc/process_heap.h"
#include "tests/introspect/ctprof/jemalloc/target.h"
#include "tests/skip.h"
#include "tests/temporary_directory.h"

namespace ktstr::introspect::ctprof {
namespace {

using test::Mapper;
using test::Target;
using Outcomes = std::map<std::string, std::uint64_t>;

Snapshot captured(std::initializer_list<pid_t> pids) {
  Snapshot all;
  for (const auto pid : pids) {
    CaptureOptions options;
    options.pid = pid;
    auto one = capture(options).value();
    all.threads.insert(all.threads.end(), one.threads.begin(), one.threads.end());
  }
  return all;
}

Snapshot probed(std::initializer_list<pid_t> pids, const ProbeLimits& limits = {}) {
  auto snapshot = captured(pids);
  probe_jemalloc("/proc", snapshot, limits);
  return snapshot;
}

/// An object file with a table of symbols of that many bytes, most of them not on disk.
void write_sparse_symbols(const std::filesystem::path& path, std::uint64_t bytes) {
  constexpr std::uint64_t kTable = 4096;
  Elf64_Ehdr header{};
  std::memcpy(header.e_ident, ELFMAG, SELFMAG);
  header.e_ident[EI_CLASS] = ELFCLASS64;
  header.e_ident[EI_DATA] = ELFDATA2LSB;
  header.e_ident[EI_VERSION] = EV_CURRENT;
  header.e_type = ET_DYN;
  header.e_machine = EM_X86_64;
  header.e_version = EV_CURRENT;
  header.e_ehsize = sizeof header;
  header.e_shoff = sizeof header;
  header.e_shentsize = sizeof(Elf64_Shdr);
  header.e_shnum = 2;
  Elf64_Shdr sections[2]{};
  sections[1].sh_type = SHT_SYMTAB;
  sections[1].sh_offset = kTable;
  sections[1].sh_size = bytes;
  sections[1].sh_entsize = sizeof(Elf64_Sym);
  sections[1].sh_addralign = 8;
  std::ofstream file(path, std::ios::binary);
  file.write(reinterpret_cast<const char*>(&header), sizeof header);
  file.write(reinterpret_cast<const char*>(sections), sizeof sections);
  file.close();
  REQUIRE(::truncate(path.c_str(), static_cast<off_t>(kTable + bytes)) == 0);
}

}  // namespace

namespace test {

Mapper::Mapper(const std::filesystem::path& file) {
  const Fd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  void* code = ::mmap(nullptr, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd.get(), 0);
  REQUIRE(code != MAP_FAILED);
  pid_ = ::fork();
  if (pid_ == 0)
    for (;;) ::pause();
  ::munmap(code, 4096);
}

}  // namespace test

TEST_CASE("thread data of any size costs the reading of two words") {
  const Target target("large");
  const auto snapshot = probed({target.pid()});
  REQUIRE(snapshot.threads.size() == 1);
  CHECK(snapshot.threads[0].allocated_bytes == Bytes{5});
  CHECK(snapshot.threads[0].deallocated_bytes == Bytes{3});
  CHECK(snapshot.probe_summary->longest_stop_ns.value_or(0) > 0);
}

TEST_CASE("a symbol or a type of a size that can't be is refused, and others are read") {
  const Target forged("forged"), modulo("modulo"), honest("large");
  const auto snapshot = probed({forged.pid(), modulo.pid(), honest.pid()});
  CHECK(!snapshot.threads.at(0).allocated_bytes);
  CHECK(!snapshot.threads.at(1).allocated_bytes);
  CHECK(snapshot.threads.at(2).allocated_bytes == Bytes{5});
  CHECK(snapshot.probe_summary->outcomes_without_counters ==
        Outcomes{{"dwarf-parse-failure", 1}, {"tls-unresolved", 1}});
}

TEST_CASE("a thread whose memory can't be read at once is let go, and others are read") {
  const Target blocking("blocking"), honest("large");
  if (blocking.word() != "ready")
    SKIP_TEST("userfaultfd(2) is refused here: no memory that holds a reader up");
  const auto snapshot = probed({blocking.pid(), honest.pid()});
  CHECK(!snapshot.threads.at(0).allocated_bytes);
  CHECK(snapshot.threads.at(1).allocated_bytes == Bytes{5});
  CHECK(snapshot.probe_summary->outcomes_without_counters == Outcomes{{"stop-too-long", 1}});
  std::ifstream status("/proc/" + std::to_string(blocking.pid()) + "/status");
  const std::string text{std::istreambuf_iterator<char>(status), {}};
  CHECK(text.find("TracerPid:\t0\n") != std::string::npos);
}

TEST_CASE("a file that takes too long to look at costs those that run it, and others are read") {
  const ktstr::test::TemporaryDirectory directory;
  write_sparse_symbols(directory.path() / "slow", std::uint64_t{24} << 30);
  const Mapper slow(directory.path() / "slow");
  const Target honest("large");
  const auto snapshot = probed({slow.pid(), honest.pid()}, {.for_files = std::chrono::milliseconds(300)});
  CHECK(snapshot.threads.at(1).allocated_bytes == Bytes{5});
  CHECK(snapshot.probe_summary->outcomes_without_counters == Outcomes{{"probe-died", 1}});
}

TEST_CASE("after too many deaths the rest is not probed, and that is said") {
  const ktstr::test::TemporaryDirectory directory;
  write_sparse_symbols(directory.path() / "slow", std::uint64_t{24} << 30);
  const Mapper slow(directory.path() / "slow");
  const Target honest("large");
  const auto snapshot =
      probed({slow.pid(), honest.pid()}, {.for_files = std::chrono::milliseconds(1), .deaths = 1});
  CHECK(snapshot.probe_summary->outcomes_without_counters == Outcomes{{"not-probed", 1}, {"probe-died", 1}});
}

TEST_CASE("two words are read wherever a file says they are") {
  const std::uint64_t words[] = {11, 22, 33};
  const ProcessVirt begin(reinterpret_cast<std::uint64_t>(words));
  const auto read = [&](std::int64_t offset, const TsdLayout& layout) {
    return read_copy(::getpid(), begin, {offset, layout});
  };
  CHECK(read(0, {0, 16})->allocated == 11);
  CHECK(read(0, {0, 16})->deallocated == 33);
  CHECK(read(-8, {24, 8})->allocated == 33);
  CHECK(read(-8, {24, 8})->deallocated == 11);
  for (const std::uint64_t far : {std::uint64_t{1} << 46, std::uint64_t{1} << 62, std::uint64_t{1} << 63})
    CHECK(read(0, {0, far}).error() == ProbeFailure::kMemory);
}

}  // namespace ktstr::introspect::ctprof
