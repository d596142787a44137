// How long something took, several times over: on the clock, and on the CPU, which a busy host takes away.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <string>
#include <vector>

namespace ktstr::bench {

/// Milliseconds.
class Times {
 public:
  void add(double wall_ms) { wall_.push_back(wall_ms); }
  void add(double wall_ms, double cpu_ms) { wall_.push_back(wall_ms), cpu_.push_back(cpu_ms); }

  [[nodiscard]] double median() const { return median_of(wall_); }
  [[nodiscard]] double least() const { return *std::min_element(wall_.begin(), wall_.end()); }
  /// "12.3 ms (least 11.0, CPU 10.2)"
  [[nodiscard]] std::string text() const {
    const auto cpu = cpu_.empty() ? std::string() : fmt::format(", CPU {:.1f}", median_of(cpu_));
    return fmt::format("{:8.1f} ms (least {:.1f}{})", median(), least(), cpu);
  }

 private:
  [[nodiscard]] static double median_of(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
  }
  std::vector<double> wall_;
  std::vector<double> cpu_;
};

/// Adds the time of its own life, and what its thread computed meanwhile.
class Stopwatch {
 public:
  explicit Stopwatch(Times& times) : times_(times) {}
  Stopwatch(const Stopwatch&) = delete;
  Stopwatch& operator=(const Stopwatch&) = delete;
  ~Stopwatch() {
    const std::chrono::duration<double, std::milli> wall = std::chrono::steady_clock::now() - begin_;
    times_.add(wall.count(), cpu_ms() - cpu_begin_);
  }

 private:
  [[nodiscard]] static double cpu_ms() {
    timespec now{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
  }

  Times& times_;
  double cpu_begin_ = cpu_ms();
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

}  // namespace ktstr::bench
