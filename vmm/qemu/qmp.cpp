#include "vmm/qemu/qmp.h"

#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "engine/base/write.h"

namespace ktstr::vmm::qemu {
namespace {

std::string text_of(const Value* value) {
  const auto* text = value ? value->get_if<std::string>() : nullptr;
  return text ? *text : std::string();
}

Error refused(std::string_view command, const Value& error) {
  return {ErrorCode::kUnavailable,
          "QEMU refuses " + std::string(command) + ": " + text_of(error.find("desc"))};
}

ssize_t send_with_descriptor(int socket, std::string_view text, int fd) {
  iovec part{const_cast<char*>(text.data()), text.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  auto* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof(int));
  std::memcpy(CMSG_DATA(header), &fd, sizeof(int));
  return ::sendmsg(socket, &message, MSG_NOSIGNAL);
}

}  // namespace

Qmp::Qmp(Fd socket) : socket_(std::move(socket)), reader_([this] { read_all(); }) {}

Qmp::~Qmp() {
  ::shutdown(socket_.get(), SHUT_RDWR);
  reader_.join();
}

void Qmp::read_all() {
  std::string line;
  std::array<char, 16384> buffer;
  while (line.size() < kLineLimit) {
    const auto count = ::recv(socket_.get(), buffer.data(), buffer.size(), 0);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) break;
    line.append(buffer.data(), static_cast<std::size_t>(count));
    for (std::size_t end = 0; (end = line.find('\n')) != line.npos; line.erase(0, end + 1))
      take_line(std::string_view(line).substr(0, end));
  }
  const std::lock_guard lock(mutex_);
  closed_ = true;
  changed_.notify_all();
}

void Qmp::take_line(std::string_view line) {
  const auto message = parse_json(line);
  if (!message) return;  // nothing can be waiting for what is no message
  const std::lock_guard lock(mutex_);
  if (message->find("QMP")) greeted_ = true;
  take_event(text_of(message->find("event")), message->find("data"));
  const auto* id = message->find("id");
  const auto* number = id ? id->get_if<std::int64_t>() : nullptr;
  const auto waiting = number ? pending_.find(*number) : pending_.end();
  if (waiting != pending_.end()) waiting->second = *message;
  changed_.notify_all();
}

void Qmp::take_event(std::string_view name, const Value* data) {
  if (name == "RESUME") ++resumes_;
  if (!data) return;
  if (name == "SHUTDOWN" && !shutdown_reason_) shutdown_reason_ = text_of(data->find("reason"));
  const auto status = name == "MIGRATION" ? text_of(data->find("status")) : std::string();
  if (status == "completed" || status == "failed" || status == "cancelled") migration_end_ = status;
}

/// `fd` (-1: none) goes with the first byte.
Status Qmp::send(std::string_view text, int fd) {
  while (!text.empty()) {
    const auto count = fd < 0 ? ::send(socket_.get(), text.data(), text.size(), MSG_NOSIGNAL)
                              : send_with_descriptor(socket_.get(), text, fd);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return system_error("send to QEMU");
    text.remove_prefix(static_cast<std::size_t>(count));
    fd = -1;
  }
  return ok();
}

Status Qmp::handshake(Deadline deadline) {
  {
    std::unique_lock lock(mutex_);
    if (!changed_.wait_until(lock, deadline, [&] { return greeted_ || closed_; }))
      return Error{ErrorCode::kTimeout, "QEMU does not greet"};
    if (!greeted_) return Error{ErrorCode::kIo, "QEMU hung up before its greeting"};
  }
  const auto reply = execute("qmp_capabilities", {}, deadline);
  if (!reply) return reply.error();
  return ok();
}

Result<Value> Qmp::execute(std::string_view command, Value::Object arguments, Deadline deadline) {
  return execute(command, std::move(arguments), -1, deadline);
}

Result<Value> Qmp::execute(std::string_view command, Value::Object arguments, int fd, Deadline deadline) {
  std::unique_lock lock(mutex_);
  const auto id = ++last_id_;
  Value::Object request{{"execute", Value{std::string(command)}}, {"id", Value{id}}};
  if (!arguments.empty()) request.emplace_back("arguments", Value{std::move(arguments)});
  const auto slot = pending_.emplace(id, std::nullopt).first;
  auto sent = closed_ ? Status(Error{ErrorCode::kIo, "QEMU hung up"})
                      : send(to_json(Value{std::move(request)}) + "\n", fd);
  if (sent) changed_.wait_until(lock, deadline, [&] { return slot->second || closed_; });
  const auto reply = std::move(slot->second);
  pending_.erase(slot);
  if (!sent) return std::move(sent.error()).with_context(command);
  if (!reply && closed_) return Error{ErrorCode::kIo, "QEMU hung up during " + std::string(command)};
  if (!reply) return Error{ErrorCode::kTimeout, "QEMU did not answer " + std::string(command) + " in time"};
  if (const auto* error = reply->find("error")) return refused(command, *error);
  const auto* value = reply->find("return");
  return value ? *value : Value{};
}

Result<std::string> Qmp::human_monitor(std::string_view line, Deadline deadline) {
  const auto reply =
      KTSTR_TRY(execute("human-monitor-command", {{"command-line", Value{std::string(line)}}}, deadline));
  return text_of(&reply);
}

Status Qmp::give_descriptor(std::string_view name, int fd, Deadline deadline) {
  const auto reply = execute("getfd", {{"fdname", Value{std::string(name)}}}, fd, deadline);
  return reply ? ok() : Status(reply.error());
}

Result<std::string> Qmp::wait_migration(Deadline deadline) {
  std::unique_lock lock(mutex_);
  changed_.wait_until(lock, deadline, [&] { return migration_end_ || closed_; });
  if (migration_end_) return *migration_end_;
  if (closed_) return Error{ErrorCode::kIo, "QEMU hung up during a migration"};
  return Error{ErrorCode::kTimeout, "the migration did not end in time"};
}

void Qmp::forget_migration() {
  const std::lock_guard lock(mutex_);
  migration_end_.reset();
}

std::uint64_t Qmp::resumes() const {
  const std::lock_guard lock(mutex_);
  return resumes_;
}

Status Qmp::wait_resumed(std::uint64_t seen, Deadline deadline) {
  std::unique_lock lock(mutex_);
  changed_.wait_until(lock, deadline, [&] { return resumes_ > seen || closed_; });
  if (resumes_ > seen) return ok();
  if (closed_) return Error{ErrorCode::kIo, "QEMU hung up when it was to run the machine"};
  return Error{ErrorCode::kTimeout, "QEMU did not run the machine in time"};
}

std::optional<std::string> Qmp::shutdown_reason() const {
  const std::lock_guard lock(mutex_);
  return shutdown_reason_;
}

void Qmp::wait_shutdown() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return shutdown_reason_ || closed_; });
}

void Qmp::wait_closed() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return closed_; });
}

}  // namespace ktstr::vmm::qemu
