// VirtioConsole: the thread that serves the virtio console, whose port is the guest agent's channel.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>

#include "engine/base/fd.h"
#include "engine/base/result.h"
#include "vmm/kvm/devices/console_ports.h"
#include "vmm/kvm/devices/virtio_pci.h"
#include "vmm/kvm/seccomp.h"

namespace ktstr::vmm::kvm {

/// Moves the bytes of the guest's port kChannelPortName to and from a socket (see ConsolePorts), in a thread
/// that ends with it. Thread-safe.
class VirtioConsole {
 public:
  using State = ConsolePorts::State;

  /// What VirtioPci::create() needs to know.
  [[nodiscard]] static VirtioDescription description() { return ConsolePorts::description(); }

  /// `transport` must outlive it; `channel` is a connected stream socket. Errors: kIo;
  /// those of SyscallFilter, which confines the thread.
  [[nodiscard]] static Result<std::unique_ptr<VirtioConsole>> start(VirtioPci& transport, Fd channel);
  ~VirtioConsole();
  VirtioConsole(const VirtioConsole&) = delete;
  VirtioConsole& operator=(const VirtioConsole&) = delete;

  /// Once it returns, no guest memory changes, no interrupt is sent and no byte of the socket is moved, until
  /// resume(). Idempotent, both.
  void pause();
  void resume();

  /// Take it between pause() and resume(), together with the transport's.
  [[nodiscard]] State state() const;
  void restore(const State& state);

 private:
  VirtioConsole(VirtioPci& transport, Fd channel, Fd wake, SyscallFilter filter);
  void run();
  bool wait_until_wanted();
  void wait_for(const ConsolePorts::Wants& wants);
  void wake() const;

  VirtioPci& transport_;
  const SyscallFilter filter_;
  Fd channel_;
  Fd wake_;  ///< an eventfd: look at pause_ and stop_
  ConsolePorts ports_;
  std::mutex mutex_;  ///< of the following
  std::condition_variable changed_;
  bool pause_ = false;
  bool parked_ = false;  ///< the thread waits for pause_ to end
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace ktstr::vmm::kvm
