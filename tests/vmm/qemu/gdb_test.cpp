#include <doctest/doctest.h>
#include <sys/socket.h>

#include <array>
#include <map>
#include <thread>

#include "tests/deadline.h"
#include "vmm/qemu/gdb_packet.h"
#include "vmm/qemu/gdb_target.h"
#include "vmm/qemu/gdbstub.h"

namespace ktstr::vmm::qemu {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kTarget =
    "<?xml version=\"1.0\"?><target><architecture>i386:x86-64</architecture><xi:include "
    "href=\"core.xml\"/></target>";

/// One register commented out, as QEMU has it; values are 8 bytes but for eflags, cs and ss.
std::string core_xml() {
  std::string text =
      "<feature name=\"core\"><!--reg name=\"cs_base\" bitsize=\"64\"/>\n<reg name=\"x\" bitsize=\"64\"/-->";
  for (const char* name : {"rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "rsp", "r8", "r9", "r10", "r11",
                           "r12", "r13", "r14", "r15", "rip"})
    text += "<reg name=\"" + std::string(name) + "\" bitsize=\"64\" type=\"int64\"/>";
  for (const char* name : {"eflags", "cs", "ss"})
    text += "<reg name=\"" + std::string(name) + "\" bitsize=\"32\"/>";
  for (const char* name : {"fs_base", "gs_base", "k_gs_base", "cr0", "cr2", "cr3", "cr4", "efer"})
    text += "<reg name=\"" + std::string(name) + "\" bitsize=\"64\"/>";
  return text + "<reg name=\"st0\" bitsize=\"80\"/></feature>";
}

Result<std::string> documents(const std::string& name) {
  const std::map<std::string, std::string> all{{"target.xml", std::string(kTarget)},
                                               {"core.xml", core_xml()}};
  const auto found = all.find(name);
  if (found == all.end()) return Error{ErrorCode::kNotFound, name};
  return found->second;
}

/// Register n of `count` has the value n + 1, in `size` little-endian bytes.
std::string values(int first, int count, std::size_t size) {
  std::string hex;
  for (int i = 0; i < count; ++i) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    const int value = first + i;
    hex += kDigits[static_cast<std::size_t>(value) >> 4];
    hex += kDigits[static_cast<std::size_t>(value) & 15];
    hex.append((size - 1) * 2, '0');
  }
  return hex;
}

std::string all_values() {
  return values(1, 17, 8) + values(18, 3, 4) + values(21, 8, 8) + std::string(20, '0');
}

/// A stub that answers each request by a table, at its end of a socket.
class FakeStub {
 public:
  FakeStub(Fd socket, std::map<std::string, std::string> answers)
      : socket_(std::move(socket)), answers_(std::move(answers)), thread_([this] { serve(); }) {}
  ~FakeStub() {
    ::shutdown(socket_.get(), SHUT_RDWR);
    thread_.join();
  }

 private:
  void serve() {
    GdbPacketReader requests;
    std::array<char, 4096> buffer;
    while (true) {
      const auto count = ::recv(socket_.get(), buffer.data(), buffer.size(), 0);
      if (count <= 0) return;
      requests.feed({buffer.data(), static_cast<std::size_t>(count)});
      while (const auto request = requests.next()) answer(*request);
    }
  }

  void answer(const std::string& request) {
    const auto found = answers_.find(request);
    if (found == answers_.end()) return;
    const auto text = "+" + encode_gdb_packet("T02thread:01;") + encode_gdb_packet(found->second);
    static_cast<void>(::send(socket_.get(), text.data(), text.size(), MSG_NOSIGNAL));
  }

  Fd socket_;
  std::map<std::string, std::string> answers_;
  std::thread thread_;
};

struct Link {
  Fd client, server;
};

Link make_link() {
  std::array<int, 2> ends{};
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0);
  return {Fd(ends[0]), Fd(ends[1])};
}

using ktstr::test::in;

}  // namespace

TEST_CASE("a packet carries its payload and checksum") {
  CHECK(encode_gdb_packet("g") == "$g#67");
  CHECK(encode_gdb_packet("a#b") ==
        "$a}\x03"
        "b#43");
}

TEST_CASE("packets are found between acknowledgements and noise, in pieces, with their escapes and runs") {
  GdbPacketReader reader;
  reader.feed("++noise$O");
  CHECK_FALSE(reader.next().has_value());
  reader.feed("K#9");
  CHECK_FALSE(reader.next().has_value());
  reader.feed("a+$0* #7a");
  CHECK(reader.next() == "OK");
  CHECK(reader.next() == "0000");
  reader.feed(encode_gdb_packet("x}$#*y"));
  CHECK(reader.next() == "x}$#*y");
}

TEST_CASE("a packet with a wrong checksum is dropped and the next one found") {
  GdbPacketReader reader;
  reader.feed("$OK#00$OK#zz$g#67");
  CHECK(reader.next() == "g");
  CHECK_FALSE(reader.next().has_value());
}

TEST_CASE("a packet that never ends is not kept for ever") {
  GdbPacketReader reader;
  for (int i = 0; i < 3; ++i) reader.feed("$" + std::string(GdbPacketReader::kLimit / 2, 'x'));
  reader.feed("#01$g#67");
  CHECK(reader.next() == "g");
}

TEST_CASE("hexadecimal text that is none gives nothing") {
  CHECK(decode_hex("6162") == "ab");
  CHECK_FALSE(decode_hex("xxxx").has_value());
  CHECK_FALSE(decode_hex("616").has_value());
}

TEST_CASE("a target description gives each register's place, comments left out, inclusions in their place") {
  const auto registers = read_gdb_target(documents);
  REQUIRE(registers.has_value());
  REQUIRE(registers->size() == 29);
  CHECK(registers->front().name == "rax");
  CHECK(registers->at(17).name == "eflags");
  CHECK(registers->at(17).offset == 17 * 8);
  CHECK(registers->at(20).name == "fs_base");
  CHECK(registers->at(20).offset == 17 * 8 + 3 * 4);
  CHECK(registers->back().size == 10);
}

TEST_CASE("a target description that includes itself, has no end or odd sizes is refused") {
  const auto read = [](std::string text) {
    return read_gdb_target([text](const std::string&) { return text; });
  };
  for (const char* text : {"<xi:include href=\"target.xml\"/>", "<reg name=\"a\" bitsize=\"64\"",
                           "<reg name=\"a\" bitsize=\"7\"/>", "<reg bitsize=\"64\"/>",
                           "<reg name=\"a\" bitsize=\"99999999\"/>", "<xi:include />", "<!-- x"}) {
    CAPTURE(text);
    CHECK(read(text).error().code == ErrorCode::kCorrupt);
  }
}

TEST_CASE("a register file is read by names") {
  const auto registers = parse_gdb_registers(all_values(), *read_gdb_target(documents));
  REQUIRE(registers.has_value());
  CHECK(registers->general[0] == 1);
  CHECK(registers->general[15] == 16);
  CHECK(registers->rsp == 8);
  CHECK(registers->rip == 17);
  CHECK(registers->rflags == 18);
  CHECK(registers->cs == 19);
  CHECK(registers->gs_base == 22);
  CHECK(registers->kernel_gs_base == 23);
  CHECK(registers->cr3 == 26);
  CHECK(registers->efer == 28);
  CHECK_FALSE(registers->idt_base.has_value());
}

TEST_CASE(
    "a register that is marked unavailable makes the file unusable when every stub has it, else it is "
    "absent") {
  const auto layout = *read_gdb_target(documents);
  auto without_cr3 = all_values();
  without_cr3.replace((17 * 8 + 3 * 4 + 5 * 8) * 2, 16, 16, 'x');
  CHECK_FALSE(parse_gdb_registers(without_cr3, layout).has_value());
  auto without_kernel_gs = all_values();
  without_kernel_gs.replace((17 * 8 + 3 * 4 + 2 * 8) * 2, 16, 16, 'x');
  REQUIRE(parse_gdb_registers(without_kernel_gs, layout).has_value());
  CHECK_FALSE(parse_gdb_registers(without_kernel_gs, layout)->kernel_gs_base.has_value());
  CHECK_FALSE(parse_gdb_registers("E22", layout).has_value());
}

TEST_CASE("the client reads registers past stop notices and asks for the right thread") {
  auto [client, server] = make_link();
  const FakeStub stub(std::move(server),
                      {{"qXfer:features:read:target.xml:0,ffb", "l" + std::string(kTarget)},
                       {"qXfer:features:read:core.xml:0,ffb", "m" + core_xml().substr(0, 100)},
                       {"qXfer:features:read:core.xml:64,ffb", "l" + core_xml().substr(100)},
                       {"Hg3", "OK"},
                       {"g", all_values()}});
  Gdbstub gdb(std::move(client));
  REQUIRE(gdb.connect(in(10s)).has_value());
  CHECK(gdb.registers(2, in(10s))->rip == 17);
}

TEST_CASE("a stub that refuses a thread, is silent or gone gives an error of that kind") {
  auto [client, server] = make_link();
  {
    const FakeStub stub(std::move(server), {{"Hg1", "E22"}});
    Gdbstub gdb(std::move(client));
    CHECK(gdb.registers(0, in(10s)).error().code == ErrorCode::kCorrupt);
    CHECK(gdb.registers(1, in(10ms)).error().code == ErrorCode::kTimeout);
  }
  auto [other, gone] = make_link();
  gone.reset();
  Gdbstub gdb(std::move(other));
  CHECK(gdb.registers(0, in(10s)).error().code == ErrorCode::kIo);
}

TEST_CASE("an answer that comes after its deadline is not taken for the next one's") {
  auto [client, server] = make_link();
  Gdbstub gdb(std::move(client));
  CHECK(gdb.registers(0, in(1ms)).error().code == ErrorCode::kTimeout);
  const auto late = encode_gdb_packet("E01") + encode_gdb_packet("E22");
  REQUIRE(::send(server.get(), late.data(), late.size(), 0) == static_cast<ssize_t>(late.size()));
  CHECK(gdb.registers(1, in(10s)).error().message.find("E22") != std::string::npos);
}

TEST_CASE("a stop notice of a watchpoint tells thread and address, and no other packet does") {
  const auto watch = parse_watch_notice("T05thread:0a;watch:ffffffff82a07000;");
  REQUIRE(watch.has_value());
  CHECK(watch->thread == 10);
  CHECK(watch->address == 0xffffffff82a07000);
  for (const char* other :
       {"", "T", "T05", "T05thread:01;", "T05watch:10;", "T05thread:01;rwatch:10;", "S05", "OK",
        "T05thread:01;watch:;", "T05thread:x;watch:10;", "T05thread:01;watch:1ffffffffffffffff;"}) {
    CAPTURE(other);
    CHECK_FALSE(parse_watch_notice(other).has_value());
  }
}

TEST_CASE("notices of watchpoints are kept, whenever they come") {
  auto [client, server] = make_link();
  Gdbstub gdb(std::move(client));
  const auto notices = encode_gdb_packet("T05thread:02;watch:1000;") + encode_gdb_packet("T02thread:01;");
  REQUIRE(::send(server.get(), notices.data(), notices.size(), 0) == static_cast<ssize_t>(notices.size()));
  REQUIRE(gdb.receive_notices().has_value());
  const auto watches = gdb.take_watches();
  REQUIRE(watches.size() == 1);
  CHECK(watches[0].thread == 2);
  CHECK(watches[0].address == 0x1000);
  CHECK(gdb.take_watches().empty());
}

TEST_CASE(
    "watchpoints are set, refused and removed as writes of their length; memory that is not mapped is none") {
  auto [client, server] = make_link();
  const FakeStub stub(std::move(server), {{"Z2,1000,8", "OK"},
                                          {"Z2,2000,4", "E22"},
                                          {"z2,1000,8", "OK"},
                                          {"Hg1", "OK"},
                                          {"m1000,8", "0100000000000000"},
                                          {"m2000,4", "E14"}});
  Gdbstub gdb(std::move(client));
  CHECK(gdb.set_watchpoint({KernelVirt(0x1000), 8}, true, in(10s)).has_value());
  CHECK(gdb.set_watchpoint({KernelVirt(0x2000), 4}, true, in(10s)).error().message ==
        "QEMU refuses a watchpoint of 4 bytes at 0x2000: \"E22\"");
  CHECK(gdb.set_watchpoint({KernelVirt(0x1000), 8}, false, in(10s)).has_value());
  CHECK(gdb.read_memory(0, KernelVirt(0x1000), 8, in(10s))->value() == std::string("\1\0\0\0\0\0\0\0", 8));
  CHECK_FALSE(gdb.read_memory(0, KernelVirt(0x2000), 4, in(10s))->has_value());
}

}  // namespace ktstr::vmm::qemu
