// The agent's protocol as the host reads it: any bytes on the channel, or any payloads in sound frames, to
// what a run makes of the answers.
#include <sys/socket.h>
#include <unistd.h>
#include <zlib.h>

#include <string>

#include "engine/agent/agent_client.h"
#include "engine/base/fd.h"
#include "engine/base/printable.h"
#include "engine/protocol/base64.h"
#include "engine/protocol/scheduler_messages.h"
#include "engine/report/printable_report.h"
#include "engine/report/scheduler_log.h"
#include "engine/report/scheduler_report.h"
#include "engine/verdict/worker_checks.h"
#include "tests/fuzz/fuzz_input.h"

using namespace ktstr;
using namespace ktstr::engine;

namespace {

/// What a socket takes at once.
constexpr std::size_t kMostBytes = 64 << 10;

std::string frame(std::string_view payload) {
  const auto* bytes = reinterpret_cast<const Bytef*>(payload.data());
  const protocol::FrameHeader header{protocol::kFrameMagic, protocol::kVersion,
                                     static_cast<std::uint32_t>(payload.size()),
                                     static_cast<std::uint32_t>(crc32_z(0, bytes, payload.size()))};
  return std::string(reinterpret_cast<const char*>(&header), sizeof header).append(payload);
}

/// A frame for each line.
std::string framed(std::string_view lines) {
  std::string stream;
  while (!lines.empty() && stream.size() < kMostBytes) {
    const auto end = std::min(lines.find('\n'), lines.size());
    stream += frame(lines.substr(0, end));
    lines.remove_prefix(std::min(lines.size(), end + 1));
  }
  return stream;
}

void use(const protocol::SchedulerStatus& status) {
  static_cast<void>(load_failure(status.log));
  static_cast<void>(with_loops_collapsed(status.log));
  static_cast<void>(exit_from_kernel_log(status.kernel_log));
  if (status.exit) static_cast<void>(protocol::exit_text(*status.exit));
}

void use(const Result<protocol::SchedulerChanged>& changed) {
  if (!changed) return;
  if (changed->current) use(*changed->current);
  if (changed->former) use(*changed->former);
}

void use(const Result<protocol::Stopped>& stopped) {
  if (!stopped) return;
  WorkerGroup group;
  group.cgroup = "web";
  group.work = "cpu_spin";
  group.reports = stopped->reports;
  static_cast<void>(summarize(group));
  const WorkerLimits strict{.isolation = true,
                            .max_throughput_cv = 0,
                            .min_work_rate = 1e9,
                            .max_p99_wake_latency = Duration(1),
                            .max_wake_latency_cv = 0,
                            .min_iteration_rate = 1e9,
                            .max_migration_ratio = 0};
  for (const auto& failure : check_workers(std::vector{group}, strict).failures)
    static_cast<void>(printable_lines(failure.message));
}

void talk(AgentClient& agent) {
  static_cast<void>(agent.wait_hello(Duration(0)));
  use(agent.ask(protocol::QueryScheduler{}));
  use(agent.ask(protocol::StopWorkers{}));
  static_cast<void>(agent.ask(protocol::SpawnWorkers{}));
  static_cast<void>(agent.ask(protocol::ReadFile{"/proc/stat"}));
  static_cast<void>(agent.ask(protocol::CaptureThreads{}));
  if (const auto part = agent.ask(protocol::ReadCapture{0}))
    static_cast<void>(protocol::decode_base64(part->base64));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::FuzzInput input(data, std::min(size, kMostBytes));
  const bool raw = input.take<std::uint8_t>() == 0;
  const auto bytes = input.rest();
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const auto stream = raw ? std::string(text) : framed(text);
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) != 0) __builtin_trap();
  const Fd host(ends[0]), guest(ends[1]);
  if (::write(guest.get(), stream.data(), stream.size()) < 0) return 0;
  ::shutdown(guest.get(), SHUT_WR);
  AgentClient agent(host.get(), -1, Duration(0));
  talk(agent);
  return 0;
}
