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
  /// 4 CPUs on two NUMA nodes. Returns once the scheduler is attached.
  [[nodiscard]] static Result<std::unique_ptr<TruthMachine>> boot(const engine::CachedKernel& kernel);
  ~TruthMachine();

  /// Runs a program in the guest, standard output and error together.
  [[nodiscard]] Result<std::string> run(const std::vector<std::string>& words);
  /// `bpftool -j WORDS...`
  [[nodiscard]] Result<std::string> bpftool(std::vector<std::string> words);

  /// Stops all CPUs and attaches anew.
  [[nodiscard]] Result<introspect::Kernel> freeze();
  [[nodiscard]] Status thaw() { return machine_->thaw(); }

 private:
  TruthMachine() = default;
  [[nodiscard]] Status start(const engine::CachedKernel& kernel);
  [[nodiscard]] Result<std::string> receive();
  [[nodiscard]] Status receive_more();

  test::TemporaryDirectory directory_;
  std::shared_ptr<const introspect::KernelDebugInfo> info_;
  std::unique_ptr<vmm::Machine> machine_;
  introspect::SpanMemory memory_;
  std::string received_;
};

}  // namespace ktstr::truth
