#include "introspect/ctprof/jemalloc/probe_board.h"

#include <sys/mman.h>

#include <type_traits>
#include <utility>

namespace ktstr::introspect::ctprof {

static_assert(std::is_trivially_copyable_v<ProbeBoard::Process> &&
              std::is_trivially_copyable_v<ProbeBoard::Thread>);
static_assert(std::atomic<std::uint64_t>::is_always_lock_free, "it is shared between processes");
static_assert(alignof(ProbeBoard::Thread) <= alignof(ProbeBoard::Progress) &&
              sizeof(ProbeBoard::Progress) % alignof(ProbeBoard::Thread) == 0);

std::size_t ProbeBoard::size_for(std::size_t processes, std::size_t threads) {
  return sizeof(Progress) + threads * sizeof(Thread) + processes * sizeof(Process);
}

Result<ProbeBoard> ProbeBoard::create(std::size_t processes, std::size_t threads) {
  void* memory = ::mmap(nullptr, size_for(processes, threads), PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return system_error("memory for the probe");
  return ProbeBoard(memory, processes, threads);
}

ProbeBoard::ProbeBoard(ProbeBoard&& other) noexcept
    : memory_(std::exchange(other.memory_, nullptr)),
      processes_(other.processes_),
      threads_(other.threads_) {}

ProbeBoard::~ProbeBoard() {
  if (memory_) ::munmap(memory_, size_for(processes_, threads_));
}

std::span<ProbeBoard::Thread> ProbeBoard::threads() {
  return {reinterpret_cast<Thread*>(static_cast<std::byte*>(memory_) + sizeof(Progress)), threads_};
}

std::span<ProbeBoard::Process> ProbeBoard::processes() {
  return {reinterpret_cast<Process*>(threads().data() + threads_), processes_};
}

void ProbeBoard::at_files(std::size_t process) {
  auto& at = progress();
  at.process = process;
  at.thread = 0;
  ++at.beat;
}

void ProbeBoard::at_thread(std::size_t thread) {
  auto& at = progress();
  at.thread = thread + 1;
  ++at.beat;
}

}  // namespace ktstr::introspect::ctprof
