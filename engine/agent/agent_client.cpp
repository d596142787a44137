#include "engine/agent/agent_client.h"

#include <time.h>

#include <algorithm>

#include "engine/base/read.h"
#include "engine/base/write.h"

namespace ktstr::engine {

using namespace protocol;

namespace {

constexpr Duration kSendTimeout = std::chrono::seconds(10);

Error failure(const Failed& failed) {
  return {failed.code, failed.message};
}

Error unexpected(std::string_view expected) {
  return {ErrorCode::kCorrupt, "the agent answered something else than " + std::string(expected)};
}

/// Whether the channel's frames are still in step after such an error.
bool leaves_channel_usable(ErrorCode code) {
  return code == ErrorCode::kTimeout || code == ErrorCode::kCancelled;
}

}  // namespace

AgentClient::AgentClient(int channel_fd, int cancel_fd, Duration request_timeout)
    : channel_fd_(channel_fd), cancel_fd_(cancel_fd), timeout_(request_timeout), reader_(channel_fd) {}

Result<ReplyMessage> AgentClient::receive(Duration timeout) {
  if (broken_) return Error(*broken_);
  const auto fail = [this](Error error) {
    error = std::move(error).with_context("guest agent");
    if (!leaves_channel_usable(error.code)) broken_ = error;
    return error;
  };
  auto payload = reader_.next(timeout, cancel_fd_);
  if (!payload) return fail(std::move(payload.error()));
  auto message = from_json<ReplyMessage>(*payload);
  if (!message) return fail(std::move(message.error()));
  return message;
}

Result<Hello> AgentClient::wait_hello(Duration timeout) {
  auto message = KTSTR_TRY(receive(timeout));
  if (const auto* failed = std::get_if<Failed>(&message.reply)) return failure(*failed);
  auto* hello = std::get_if<Hello>(&message.reply);
  if (!hello) return unexpected("hello");
  if (hello->version != kVersion)
    return Error{ErrorCode::kCorrupt, "the agent speaks protocol version " + std::to_string(hello->version) +
                                          ", this program " + std::to_string(kVersion)};
  return std::move(*hello);
}

Result<Reply> AgentClient::exchange(Request request) {
  if (broken_) return Error(*broken_);
  const auto id = ++last_id_;
  const auto payload = to_json(RequestMessage{id, std::move(request)});
  if (auto sent = send_frame(channel_fd_, payload, std::min(kSendTimeout, timeout_)); !sent) {
    // An agent that gives up on the channel has said why before it closed it.
    auto last_words = receive(Duration(0));
    broken_ = std::move(sent.error()).with_context("guest agent");
    if (last_words && last_words->id == 0) return std::move(last_words->reply);
    return Error(*broken_);
  }
  while (true) {
    auto message = KTSTR_TRY(receive(timeout_));
    if (message.id == id || message.id == 0) return std::move(message.reply);
    if (message.id > id) return *(broken_ = unexpected("the request"));
  }
}

template <class Answer>
Result<Answer> AgentClient::ask(Request request) {
  auto reply = KTSTR_TRY(exchange(std::move(request)));
  if (const auto* failed = std::get_if<Failed>(&reply)) return failure(*failed);
  if (auto* answer = std::get_if<Answer>(&reply)) return std::move(*answer);
  return *(broken_ = unexpected(describe<Answer>.name));
}

Status AgentClient::add_cgroup(const AddCgroup& request) {
  KTSTR_TRY(ask<Done>(request));
  return ok();
}

Result<std::vector<WorkerReport>> AgentClient::remove_cgroup(std::string_view name) {
  return KTSTR_TRY(ask<Stopped>(RemoveCgroup{std::string(name)})).reports;
}

Status AgentClient::set_cpuset(std::string_view name, const std::optional<CpuSet>& cpus) {
  KTSTR_TRY(ask<Done>(SetCpuset{std::string(name), cpus}));
  return ok();
}

Result<std::vector<std::int32_t>> AgentClient::spawn(const SpawnWorkers& request) {
  return KTSTR_TRY(ask<Spawned>(request)).tids;
}

Result<std::vector<WorkerReport>> AgentClient::stop(const std::optional<std::string>& cgroup) {
  return KTSTR_TRY(ask<Stopped>(StopWorkers{cgroup})).reports;
}

Status AgentClient::set_affinity(std::string_view name, const std::vector<CpuSet>& affinities) {
  KTSTR_TRY(ask<Done>(SetAffinity{std::string(name), affinities}));
  return ok();
}

Status AgentClient::move_tasks(const std::optional<std::string>& from, const std::optional<std::string>& to) {
  KTSTR_TRY(ask<Done>(MoveTasks{from, to}));
  return ok();
}

Status AgentClient::freeze(std::string_view name, bool frozen) {
  KTSTR_TRY(ask<Done>(FreezeCgroup{std::string(name), frozen}));
  return ok();
}

Result<FileContent> AgentClient::read_file(std::string_view path, std::uint32_t limit) {
  return ask<FileContent>(ReadFile{std::string(path), limit});
}

Result<SchedulerChanged> AgentClient::attach_scheduler(const AttachScheduler& request) {
  return ask<SchedulerChanged>(request);
}

Result<SchedulerChanged> AgentClient::detach_scheduler(const DetachScheduler& request) {
  return ask<SchedulerChanged>(request);
}

Result<SchedulerChanged> AgentClient::replace_scheduler(const AttachScheduler& next) {
  return ask<SchedulerChanged>(ReplaceScheduler{next});
}

Result<SchedulerChanged> AgentClient::restart_scheduler() {
  return ask<SchedulerChanged>(RestartScheduler{});
}

Result<SchedulerChanged> AgentClient::query_scheduler(const QueryScheduler& request) {
  return ask<SchedulerChanged>(request);
}

Status AgentClient::pin_bpf_map(std::uint32_t id) {
  KTSTR_TRY(ask<Done>(PinBpfMap{id}));
  return ok();
}

Result<Captured> AgentClient::capture_threads() {
  return ask<Captured>(CaptureThreads{});
}

Result<CapturePart> AgentClient::read_capture(std::uint64_t offset) {
  return ask<CapturePart>(ReadCapture{offset});
}

Status AgentClient::refresh(const Refresh& request) {
  KTSTR_TRY(ask<Done>(request));
  return ok();
}

Result<StatisticsSwitches> AgentClient::set_statistics(bool on) {
  return ask<StatisticsSwitches>(SetStatistics{on});
}

Status AgentClient::shutdown() {
  const auto answer = ask<Done>(Shutdown{});
  if (answer || answer.error().code == ErrorCode::kGuestFailed) return ok();
  return Error(answer.error());
}

}  // namespace ktstr::engine
