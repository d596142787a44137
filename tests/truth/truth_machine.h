// A guest with scx_ktstr attached and bpftool at hand.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/result.h"
#include "engine/kernels/kernel_store.h"
#include "introspect/kernel.h"
#include "introspect/span_memory.h"
#include "tests/temporary_directory.h"
#include "vmm/machine.h"

namespace ktstr::truth {

/// What this host lacks for it; nullopt when nothing.
[[nodiscard]] std::optional<std::string> missing_for_truth();

class TruthMachine {
 public:
  /// 4 CPUs on two NUMA nodes. Returns once the scheduler is attached, which is given `arguments`.
  [[nodiscard]] static Result<std::unique_ptr<TruthMachine>> boot(
      const engine::CachedKernel& kernel, const std::vector<std::string>& arguments = {});
  ~TruthMachine();

  /// Runs a program in the guest, standard output and error together; or what else truth_guest.cpp knows.
  [[nodiscard]] Result<std::string> run(const std::vector<std::string>& words);
  /// `bpftool -j WORDS...`
  [[nodiscard]] Result<std::string> bpftool(std::vector<std::string> words);

  /// How long `bpftool -j WORDS...` takes by the guest's clock when nobody reads what it writes.
  [[nodiscard]] Result<Duration> time_bpftool(std::vector<std::string> words);

  /// Stops all CPUs and attaches anew. The kernel is good for as long as the machine lives.
  [[nodiscard]] Result<introspect::Kernel> freeze();
  [[nodiscard]] Status thaw() { return machine_->thaw(); }
  [[nodiscard]] vmm::Machine& machine() { return *machine_; }
  /// Its RAM, once it was frozen.
  [[nodiscard]] const introspect::SpanMemory& memory() const { return memory_; }

 private:
  TruthMachine() = default;
  [[nodiscard]] Status start(const engine::CachedKernel& kernel, const std::vector<std::string>& arguments);
  [[nodiscard]] Result<std::string> receive();
  [[nodiscard]] Status receive_more();

  test::TemporaryDirectory directory_;
  std::shared_ptr<const introspect::KernelDebugInfo> info_;
  std::unique_ptr<vmm::Machine> machine_;
  introspect::SpanMemory memory_;
  std::string received_;
};

}  // namespace ktstr::truth
