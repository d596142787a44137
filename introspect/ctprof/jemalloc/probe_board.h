// ProbeBoard: what a probing process has found, in memory that it shares with the one that started it, so
// that it is there however the prober ends.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/base/result.h"
#include "introspect/ctprof/jemalloc/jemalloc_file.h"
#include "introspect/ctprof/snapshot.h"

namespace ktstr::introspect::ctprof {

/// A process to be looked at, and where its threads are among all.
struct ProbedProcess {
  pid_t pid = 0;
  std::size_t first = 0, count = 0;
};

/// How one process or thread went.
class Outcome {
 public:
  [[nodiscard]] bool is_open() const { return value_ == kOpen; }
  [[nodiscard]] bool is_good() const { return value_ == kGood; }
  /// Precondition: neither open nor good.
  [[nodiscard]] ProbeFailure failure() const { return static_cast<ProbeFailure>(value_ - kFirstFailure); }
  void set_good() { value_ = kGood; }
  void set_failure(ProbeFailure failure) { value_ = static_cast<std::uint32_t>(failure) + kFirstFailure; }

 private:
  enum : std::uint32_t { kOpen, kGood, kFirstFailure };
  std::uint32_t value_ = kOpen;
};

class ProbeBoard {
 public:
  struct Process {
    Outcome outcome;           ///< good: its jemalloc was found
    std::uint32_t waits = 0;   ///< for threads that did not stop in time
    std::uint32_t deaths = 0;  ///< of probers, over its threads
  };
  struct Thread {
    Outcome outcome;
    std::uint32_t deaths = 0;  ///< of probers, while they read it
    std::uint64_t allocated = 0, deallocated = 0;
  };
  /// What the prober is at. Zeros of a new mapping are its beginning.
  struct Progress {
    std::atomic<std::uint64_t> beat;  ///< moves as long as it gets on
    std::size_t process;
    std::size_t thread;  ///< the one after it, while a thread is read or about to be; 0: its files are
    std::uint64_t longest_stop_ns;
  };

  /// Errors: kIo, no memory.
  [[nodiscard]] static Result<ProbeBoard> create(std::size_t processes, std::size_t threads);
  ProbeBoard(ProbeBoard&& other) noexcept;
  ProbeBoard& operator=(ProbeBoard&&) = delete;
  ~ProbeBoard();

  [[nodiscard]] Progress& progress() { return *static_cast<Progress*>(memory_); }
  [[nodiscard]] std::span<Process> processes();
  [[nodiscard]] std::span<Thread> threads();

  void at_files(std::size_t process);
  void at_thread(std::size_t thread);

 private:
  ProbeBoard(void* memory, std::size_t processes, std::size_t threads)
      : memory_(memory), processes_(processes), threads_(threads) {}
  [[nodiscard]] static std::size_t size_for(std::size_t processes, std::size_t threads);

  void* memory_;
  std::size_t processes_, threads_;
};

}  // namespace ktstr::introspect::ctprof
