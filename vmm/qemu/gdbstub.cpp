#include "vmm/qemu/gdbstub.h"

#include <fmt/format.h>
#include <sys/socket.h>

#include <array>
#include <cstring>

#include "engine/base/io.h"

namespace ktstr::vmm::qemu {
namespace {

constexpr std::size_t kDocumentLimit = 256 * 1024;
constexpr std::size_t kChunk = 0xffb;  // what gdb itself asks for at a time

Error unexpected_answer(std::string_view request, std::string_view answer) {
  return corrupted(
      fmt::format("gdb stub answers \"{}\" to \"{}\"", answer.substr(0, 40), request.substr(0, 40)));
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
  if (!registers) return unexpected_answer("g", answer);
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
  if (answer != "OK") return unexpected_answer(request, answer);
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
    if (kind != 'l' && kind != 'm') return unexpected_answer(request, answer);
    document.append(answer, 1);
    if (kind == 'l') return document;
  }
  return corrupted("gdb target description: " + name + " does not end");
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
  KTSTR_TRY(send_all(socket_.get(), bytes), "gdb stub");
  return ok();
}

Result<std::string> Gdbstub::receive(Deadline deadline) {
  while (true) {
    if (auto packet = packets_.next()) return std::move(*packet);
    if (!is_readable(socket_.get(), deadline))
      return Error{ErrorCode::kTimeout, "gdb stub did not answer in time"};
    std::array<char, 4096> buffer;
    const auto count =
        retry([&] { return ::recv(socket_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT); });
    if (count == 0) return Error{ErrorCode::kIo, "gdb stub hung up"};
    if (count < 0 && errno != EAGAIN) return system_error("receive from gdb stub");
    if (count > 0) packets_.feed({buffer.data(), static_cast<std::size_t>(count)});
  }
}

Result<std::unique_ptr<GdbWatchpoints>> GdbWatchpoints::create(Gdbstub& stub, std::size_t cpus) {
  auto hits = KTSTR_TRY(WatchHits::create());
  return std::unique_ptr<GdbWatchpoints>(new GdbWatchpoints(stub, cpus, std::move(hits)));
}

Status GdbWatchpoints::set(std::span<const Watchpoint> watchpoints, Deadline deadline) {
  KTSTR_TRY(check_watchpoints(watchpoints));
  KTSTR_TRY(remove_all(deadline));
  if (auto inserted = insert(watchpoints, deadline); !inserted) {
    KTSTR_TRY(remove_all(deadline));
    return inserted;
  }
  static_cast<void>(stub_.take_watches());  // of those that are watched no more
  hits_->watch(set_, [&](const Watchpoint& watchpoint) { return read(watchpoint, deadline); });
  return ok();
}

Status GdbWatchpoints::insert(std::span<const Watchpoint> watchpoints, Deadline deadline) {
  for (const auto& watchpoint : watchpoints) {
    KTSTR_TRY(stub_.set_watchpoint(watchpoint, true, deadline));
    set_.push_back(watchpoint);
  }
  return ok();
}

Status GdbWatchpoints::remove_all(Deadline deadline) {
  for (; !set_.empty(); set_.pop_back()) KTSTR_TRY(stub_.set_watchpoint(set_.back(), false, deadline));
  hits_->watch({}, {});
  return ok();
}

Status GdbWatchpoints::collect() {
  const auto received = stub_.receive_notices();
  for (const auto& [thread, address] : stub_.take_watches())
    if (thread > 0) hits_->add(thread - 1, KernelVirt(address));  // gdb's numbers begin at 1
  return received;
}

Status GdbWatchpoints::collect_all(Deadline deadline) {
  KTSTR_TRY(collect());
  hits_->add_missed([&](const Watchpoint& watchpoint) { return read(watchpoint, deadline); });
  return ok();
}

std::optional<WatchHit> GdbWatchpoints::take(Deadline deadline) {
  return hits_->take([&](const Watchpoint& watchpoint) { return read(watchpoint, deadline); });
}

/// As the first vCPU has it that maps it: one that is in user space may not map the kernel.
std::optional<std::uint64_t> GdbWatchpoints::read(const Watchpoint& watchpoint, Deadline deadline) const {
  for (std::size_t i = 0; i < cpus_; ++i) {
    const auto bytes = stub_.read_memory(i, watchpoint.address, watchpoint.bytes, deadline);
    if (!bytes || !*bytes) continue;
    std::uint64_t value = 0;
    std::memcpy(&value, (*bytes)->data(), (*bytes)->size());
    return value;
  }
  return std::nullopt;
}

}  // namespace ktstr::vmm::qemu
