#include "engine/observe/monitor_thread.h"

#include <fcntl.h>
#include <pthread.h>

#include <array>
#include <charconv>
#include <string>

namespace ktstr::engine {

ThreadClock::ThreadClock(int tid)
    : file_(::open(("/proc/" + std::to_string(tid) + "/schedstat").c_str(), O_RDONLY | O_CLOEXEC)) {}

std::optional<std::uint64_t> ThreadClock::read() const {
  std::array<char, 96> text{};
  const auto length = ::pread(file_.get(), text.data(), text.size(), 0);
  if (length <= 0) return std::nullopt;
  std::uint64_t ns = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + length, ns);
  if (parsed.ec != std::errc()) return std::nullopt;
  return ns;
}

using Clock = std::chrono::steady_clock;

MonitorThread::MonitorThread(MonitorThreadOptions options, Sample sample)
    : options_(std::move(options)),
      period_(options_.period),
      slower_at_bytes_(options_.max_bytes / 2),
      sample_(std::move(sample)),
      cpu_times_ns_(options_.vcpu_tids.size()) {
  for (const auto tid : options_.vcpu_tids) clocks_.push_back(tid ? ThreadClock(*tid) : ThreadClock());
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
  ::pthread_setname_np(thread_.native_handle(), "monitor");
}

MonitorThread::~MonitorThread() = default;

void MonitorThread::look_at_samples(const std::function<void(const introspect::SampleSeries&)>& look) const {
  const std::lock_guard lock(mutex_);
  look(taken_.samples);
}

Samples MonitorThread::stop() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
  return std::move(taken_);
}

void MonitorThread::run(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  for (auto due = Clock::now();
       !wake_.wait_until(lock, stop, due, [] { return false; }) && !stop.stop_requested();) {
    take_sample();
    const auto period = period_.chrono();
    due += period;
    if (const auto late = Clock::now() - due; late > Duration().chrono()) {
      const auto missed = late / period + 1;
      taken_.missed_periods += static_cast<std::uint64_t>(missed);
      due += missed * period;
    }
  }
}

void MonitorThread::keep(const introspect::MonitorSample& sample) {
  taken_.samples.add(sample);
  if (taken_.samples.bytes() > slower_at_bytes_ && slower_at_bytes_ < options_.max_bytes) {
    slower_at_bytes_ += (options_.max_bytes - slower_at_bytes_ + 1) / 2;
    period_.ns *= 2;
    taken_.slower.push_back({sample.elapsed_ns, static_cast<std::uint64_t>(period_.ns)});
  }
}

void MonitorThread::take_sample() {
  for (std::size_t i = 0; i < clocks_.size(); ++i) cpu_times_ns_[i] = clocks_[i].read();
  auto sample = sample_(Duration(Clock::now() - options_.epoch), cpu_times_ns_);
  if (sample) return keep(*sample);
  ++taken_.failed_samples;
  if (!taken_.first_failure) taken_.first_failure = std::move(sample.error().message);
}

}  // namespace ktstr::engine
