// FakeGuest: a guest with a clock of its own that moves only when asked, and a record of every request.
#pragma once

#include <deque>
#include <functional>
#include <string>
#include <vector>

#include "engine/run/guest.h"

namespace ktstr::engine::testing {

class FakeGuest : public Guest {
 public:
  /// Every request takes this long.
  Duration request_time;
  /// Called before a request is answered; an error it returns is the answer.
  std::function<Status(const protocol::Request&)> before_answer = [](const auto&) { return ok(); };
  /// Answers to requests about schedulers, in order; then one that says that all is well.
  std::vector<protocol::SchedulerChanged> scheduler_answers;
  /// When a scheduler's end is seen.
  std::optional<Duration> scheduler_end;
  /// What is read of files, in order; then "1.00 2.00\n".
  std::deque<protocol::FileContent> file_parts;
  protocol::StatisticsSwitches switches{.bpf_programs = true, .schedstats = true};
  /// "add_cgroup web @100": requests and waits in order, times in ms.
  std::vector<std::string> log;
  std::vector<protocol::Request> requests;

  Result<protocol::Reply> exchange(protocol::Request request) override {
    log.push_back(describe_request(request) + " @" + std::to_string(now_.ns / 1'000'000));
    requests.push_back(request);
    now_.ns += request_time.ns;
    KTSTR_TRY(before_answer(request));
    return answer(request);
  }
  Duration now() const override { return now_; }
  Result<WaitEnd> wait_until(Duration moment) override {
    const bool ends = scheduler_end && *scheduler_end < moment;
    const auto until = ends ? *std::exchange(scheduler_end, std::nullopt) : moment;
    if (until > now_) now_ = until;
    log.push_back("wait @" + std::to_string(now_.ns / 1'000'000));
    return ends ? WaitEnd::kSchedulerEnd : WaitEnd::kMoment;
  }

  /// The last request of a kind.
  template <class T>
  const T& last() const {
    for (auto request = requests.rbegin(); request != requests.rend(); ++request)
      if (const auto* found = std::get_if<T>(&*request)) return *found;
    throw std::logic_error("no such request");
  }

 private:
  struct Worker {
    std::int32_t tid;
    std::optional<std::string> cgroup;
    std::string work;
  };

  static std::string describe_request(const protocol::Request& request) {
    return std::visit(
        [](const auto& kind) {
          std::string text(describe<std::remove_cvref_t<decltype(kind)>>.name);
          if constexpr (requires { std::string(kind.cgroup); }) text += " " + kind.cgroup;
          if constexpr (requires {
                          *kind.cgroup;
                          kind.cgroup.has_value();
                        })
            text += " " + kind.cgroup.value_or("*");
          return text;
        },
        request);
  }

  protocol::Reply answer(const protocol::Request& request) {
    if (const auto* spawn = std::get_if<protocol::SpawnWorkers>(&request)) return start(*spawn);
    if (const auto* stop = std::get_if<protocol::StopWorkers>(&request)) return end(stop->cgroup);
    if (const auto* remove = std::get_if<protocol::RemoveCgroup>(&request)) return end(remove->cgroup);
    if (std::holds_alternative<protocol::ReadFile>(request)) return read_file();
    if (std::holds_alternative<protocol::SetStatistics>(request)) return switches;
    if (auto changed = change_scheduler(request)) return std::move(*changed);
    return protocol::Done{};
  }

  protocol::FileContent read_file() {
    if (file_parts.empty()) return {"1.00 2.00\n"};
    auto part = std::move(file_parts.front());
    file_parts.pop_front();
    return part;
  }

  std::optional<protocol::SchedulerChanged> change_scheduler(const protocol::Request& request) {
    const auto is_about_scheduler = [](const auto& kind) {
      return std::string_view(describe<std::remove_cvref_t<decltype(kind)>>.name).ends_with("_scheduler");
    };
    if (!std::visit(is_about_scheduler, request)) return std::nullopt;
    if (scheduler_answers.empty()) {
      protocol::SchedulerChanged changed;
      changed.current.emplace().attached = true;
      return changed;
    }
    auto changed = std::move(scheduler_answers.front());
    scheduler_answers.erase(scheduler_answers.begin());
    return changed;
  }

  protocol::Spawned start(const protocol::SpawnWorkers& spawn) {
    protocol::Spawned spawned;
    for (std::size_t i = 0; i < spawn.affinities.size(); ++i) {
      workers_.push_back({next_tid_, spawn.cgroup, "work"});
      spawned.tids.push_back(next_tid_++);
    }
    return spawned;
  }

  protocol::Stopped end(const std::optional<std::string>& cgroup) {
    protocol::Stopped stopped;
    std::erase_if(workers_, [&](const Worker& worker) {
      if (cgroup && worker.cgroup != cgroup) return false;
      auto& report = stopped.reports.emplace_back();
      report.tid = worker.tid;
      report.cgroup = worker.cgroup;
      report.work = worker.work;
      return true;
    });
    return stopped;
  }

  Duration now_;
  std::vector<Worker> workers_;
  std::int32_t next_tid_ = 100;
};

}  // namespace ktstr::engine::testing
