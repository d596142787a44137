#include "vmm/qemu/gdbstub.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace ktstr::vmm::qemu {
namespace {

constexpr std::size_t kDocumentLimit = 256 * 1024;
constexpr std::size_t kChunk = 0xffb;  // what gdb itself asks for at a time

Error corrupt(std::string_view request, std::string_view answer) {
  return {ErrorCode::kCorrupt,
          fmt::format("gdb stub answers \"{}\" to \"{}\"", answer.substr(0, 40), request.substr(0, 40))};
}

}  // namespace

Status Gdbstub::connect(Deadline deadline) {
  layout_ =
      KTSTR_TRY(read_gdb_target([&](const std::string& name) { return fetch_document(name, deadline); }));
  return ok();
}

Result<VcpuRegisters> Gdbstub::registers(std::size_t index, Deadline deadline) {
  KTSTR_TRY(select(index, deadline));
  const auto answer = KTSTR_TRY(ask("g", deadline));
  const auto registers = parse_gdb_registers(answer, layout_);
  if (!registers) return corrupt("g", answer);
  return *registers;
}

Status Gdbstub::set_watchpoint(const Watchpoint& watchpoint, bool on, Deadline deadline) {
  const auto request =
      fmt::format("{}2,{:x},{:x}", on ? 'Z' : 'z', watchpoint.address.value(), watchpoint.bytes);
  const auto answer = KTSTR_TRY(ask(request, deadline));
  if (answer == "OK") return ok();
  return Error{ErrorCode::kUnavailable, fmt::format("QEMU refuses a watchpoint of {} bytes at {:#x}: \"{}\"",
                                                    watchpoint.bytes, watchpoint.address.value(), answer)};
}

Result<std::optional<std::string>> Gdbstub::read_memory(std::size_t index, KernelVirt address,
                                                        std::size_t bytes, Deadline deadline) {
  KTSTR_TRY(select(index, deadline));
  const auto answer = KTSTR_TRY(ask(fmt::format("m{:x},{:x}", address.value(), bytes), deadline));
  auto read = decode_hex(answer);
  if (!read || read->size() != bytes) return std::optional<std::string>();
  return std::optional(std::move(*read));
}

Status Gdbstub::resume() {
  return send(encode_gdb_packet("c"));
}

Status Gdbstub::select(std::size_t index, Deadline deadline) {
  const auto request = fmt::format("Hg{:x}", index + 1);  // gdb's thread numbers begin at 1
  const auto answer = KTSTR_TRY(ask(request, deadline));
  if (answer != "OK") return corrupt(request, answer);
  return ok();
}

Status Gdbstub::receive_notices() {
  while (true) {
    auto packet = receive(Deadline());
    if (!packet && packet.error().code == ErrorCode::kTimeout) return ok();
    if (!packet) return std::move(packet.error());
    if (!take_notice(*packet) && answers_owed_ > 0) --answers_owed_;
  }
}

bool Gdbstub::take_notice(std::string_view packet) {
  if (const auto watch = parse_watch_notice(packet)) watches_.push_back(*watch);
  return is_stop_notice(packet);
}

Result<std::string> Gdbstub::fetch_document(const std::string& name, Deadline deadline) {
  std::string document;
  while (document.size() < kDocumentLimit) {
    const auto request = fmt::format("qXfer:features:read:{}:{:x},{:x}", name, document.size(), kChunk);
    const auto answer = KTSTR_TRY(ask(request, deadline));
    const char kind = answer.empty() ? '\0' : answer.front();
    if (kind != 'l' && kind != 'm') return corrupt(request, answer);
    document.append(answer, 1);
    if (kind == 'l') return document;
  }
  return Error{ErrorCode::kCorrupt, "gdb target description: " + name + " does not end"};
}

Result<std::string> Gdbstub::ask(std::string_view request, Deadline deadline) {
  KTSTR_TRY(send(encode_gdb_packet(request)));
  ++answers_owed_;
  while (true) {
    auto packet = KTSTR_TRY(receive(deadline));
    if (take_notice(packet)) continue;
    if (--answers_owed_ == 0) return packet;
  }
}

Status Gdbstub::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto count = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return system_error("send to gdb stub");
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return ok();
}

Result<std::string> Gdbstub::receive(Deadline deadline) {
  while (true) {
    if (auto packet = packets_.next()) return std::move(*packet);
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    pollfd ready{socket_.get(), POLLIN, 0};
    if (::poll(&ready, 1, static_cast<int>(std::max<std::int64_t>(left.count(), 0))) == 0)
      return Error{ErrorCode::kTimeout, "gdb stub did not answer in time"};
    std::array<char, 4096> buffer;
    const auto count = ::recv(socket_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (count == 0) return Error{ErrorCode::kIo, "gdb stub hung up"};
    if (count < 0 && errno != EINTR && errno != EAGAIN) return system_error("receive from gdb stub");
    if (count > 0) packets_.feed({buffer.data(), static_cast<std::size_t>(count)});
  }
}

}  // namespace ktstr::vmm::qemu
