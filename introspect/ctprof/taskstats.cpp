#include "introspect/ctprof/taskstats.h"

#include <linux/taskstats.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <netlink/netlink.h>

#include <cerrno>
#include <cstring>

#include "introspect/ctprof/metrics.h"
#include "introspect/ctprof/parse/decode.h"

namespace ktstr::introspect::ctprof {
namespace {

// include/uapi/linux/taskstats.h. New versions only append; but version 15 put each delay's longest and
// shortest behind its total, and version 16 moved them to the end, leaving the length as it was.
constexpr std::uint16_t kMisplacedVersion = 15;
constexpr std::size_t kExtremes = 432;  ///< where version 16 has them, 16 bytes for each delay
constexpr std::size_t kExtremesSize = 16;
constexpr std::size_t kTotals[] = {24,  40,  56,  320,
                                   336, 360, 408, 424};  ///< of the delays, in the same order

/// Where version 15 has what version 16 has at `place`.
std::size_t place_in_version_15(std::size_t place) {
  const bool extreme = place >= kExtremes;
  const std::size_t delay = (place - kExtremes) / kExtremesSize;
  const std::size_t before = extreme ? kTotals[delay] : place;
  std::size_t shift = 0;
  for (const auto total : kTotals)
    if (total < before) shift += kExtremesSize;
  return extreme ? before + shift + sizeof(std::uint64_t) + (place - kExtremes) % kExtremesSize
                 : place + shift;
}

template <class T>
std::optional<T> value_at(std::span<const std::byte> bytes, std::size_t place) {
  if (bytes.size() < sizeof(T) || place > bytes.size() - sizeof(T)) return std::nullopt;
  T value{};
  std::memcpy(&value, bytes.data() + place, sizeof(value));
  return value;
}

bool counted(Gate gate, const TaskstatsGates& gates) {
  return gate == Gate::kCpuDelay ? gates.cpu_delay : gate == Gate::kDelays ? gates.delays : gates.xacct;
}

/// Whether 0 stands for nothing at all: the shortest of no delays, and the memory of a thread of the kernel's
/// own (xacct_add_tsk() of kernel/tsacct.c).
bool zero_is_absent(const Metric& metric) {
  const std::size_t place = metric.source.place;
  const bool is_shortest = place >= kExtremes && (place - kExtremes) % kExtremesSize != 0;
  return is_shortest || metric.source.gate == Gate::kXacct;
}

struct FreeMessage {
  void operator()(nl_msg* message) const { ::nlmsg_free(message); }
};

/// One question's answer.
struct Answer {
  int error = 0;
  bool filled = false;
  const TaskstatsGates* gates = nullptr;
  ThreadRecord* record = nullptr;
};

std::span<const std::byte> payload(nlattr* attribute) {
  return {static_cast<const std::byte*>(::nla_data(attribute)),
          static_cast<std::size_t>(::nla_len(attribute))};
}

int take_stats(nl_msg* message, void* context) {
  auto& answer = *static_cast<Answer*>(context);
  nlattr* outer[TASKSTATS_TYPE_MAX + 1] = {};
  nlattr* inner[TASKSTATS_TYPE_MAX + 1] = {};
  auto* header = ::nlmsg_hdr(message);
  if (::genlmsg_parse(header, 0, outer, TASKSTATS_TYPE_MAX, nullptr) < 0 || !outer[TASKSTATS_TYPE_AGGR_PID] ||
      ::nla_parse_nested(inner, TASKSTATS_TYPE_MAX, outer[TASKSTATS_TYPE_AGGR_PID], nullptr) < 0 ||
      !inner[TASKSTATS_TYPE_STATS])
    return NL_SKIP;
  parse_taskstats(payload(inner[TASKSTATS_TYPE_STATS]), *answer.gates, *answer.record);
  answer.filled = true;
  return NL_SKIP;
}

int take_error(sockaddr_nl*, nlmsgerr* error, void* context) {
  static_cast<Answer*>(context)->error = -error->error;
  return NL_STOP;
}

Error unavailable(const char* what, int error) {
  return {ErrorCode::kUnavailable, std::string(what) + ": " + ::nl_geterror(error)};
}

void count(const Answer& answer, TaskstatsSummary& summary) {
  if (answer.filled)
    ++summary.ok_count;
  else if (answer.error == EPERM)
    ++summary.eperm_count;
  else if (answer.error == ESRCH)
    ++summary.esrch_count;
  else
    ++summary.other_count;
}

}  // namespace

void parse_taskstats(std::span<const std::byte> bytes, const TaskstatsGates& gates, ThreadRecord& record) {
  const bool misplaced = value_at<std::uint16_t>(bytes, 0) == kMisplacedVersion;
  for (const auto* metric : SourceIndex::of(SourceFile::kTaskstats).all()) {
    const std::size_t place = metric->source.place;
    auto value = value_at<std::uint64_t>(bytes, misplaced ? place_in_version_15(place) : place);
    if (!counted(metric->source.gate, gates) || (zero_is_absent(*metric) && value == 0u)) value.reset();
    assign(record, *metric, value);
  }
}

struct TaskstatsClient::Socket {
  struct FreeSocket {
    void operator()(nl_sock* socket) const { ::nl_socket_free(socket); }
  };
  std::unique_ptr<nl_sock, FreeSocket> handle;
  int family = 0;
};

TaskstatsClient::TaskstatsClient(std::unique_ptr<Socket> socket) : socket_(std::move(socket)) {}
TaskstatsClient::TaskstatsClient(TaskstatsClient&&) noexcept = default;
TaskstatsClient& TaskstatsClient::operator=(TaskstatsClient&&) noexcept = default;
TaskstatsClient::~TaskstatsClient() = default;

Result<TaskstatsClient> TaskstatsClient::open() {
  auto socket = std::make_unique<Socket>();
  socket->handle.reset(::nl_socket_alloc());
  if (!socket->handle) return Error{ErrorCode::kUnavailable, "no memory for a netlink socket"};
  if (const int error = ::genl_connect(socket->handle.get()); error < 0)
    return unavailable("generic netlink", error);
  socket->family = ::genl_ctrl_resolve(socket->handle.get(), TASKSTATS_GENL_NAME);
  if (socket->family < 0)
    return unavailable("this kernel has no taskstats (CONFIG_TASKSTATS)", socket->family);
  ::nl_socket_disable_auto_ack(socket->handle.get());
  return TaskstatsClient(std::move(socket));
}

void TaskstatsClient::query(const TaskstatsGates& gates, ThreadRecord& record, TaskstatsSummary& summary) {
  Answer answer{0, false, &gates, &record};
  const std::unique_ptr<nl_msg, FreeMessage> message(::nlmsg_alloc());
  auto* socket = socket_->handle.get();
  ::nl_socket_modify_cb(socket, NL_CB_VALID, NL_CB_CUSTOM, take_stats, &answer);
  ::nl_socket_modify_err_cb(socket, NL_CB_CUSTOM, take_error, &answer);
  const bool asked = message &&
                     ::genlmsg_put(message.get(), NL_AUTO_PORT, NL_AUTO_SEQ, socket_->family, 0,
                                   NLM_F_REQUEST, TASKSTATS_CMD_GET, TASKSTATS_GENL_VERSION) &&
                     ::nla_put_u32(message.get(), TASKSTATS_CMD_ATTR_PID, record.tid) == 0 &&
                     ::nl_send_auto(socket, message.get()) >= 0;
  if (asked) ::nl_recvmsgs_default(socket);  // how it went is in the answer
  count(answer, summary);
}

}  // namespace ktstr::introspect::ctprof
