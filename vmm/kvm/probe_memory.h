// What the probe found, remembered until the host boots again.
#pragma once

#include <filesystem>
#include <functional>

#include "engine/base/result.h"
#include "vmm/kvm/probe.h"

namespace ktstr::vmm::kvm {

/// The host that a verdict is about, and how to come to one. Tests give others.
struct ProbedHost {
  std::filesystem::path boot_id = "/proc/sys/kernel/random/boot_id";
  std::filesystem::path device = "/dev/kvm";
  std::function<Status(const ProbeSettings&)> probe = run_probe;
};

/// probe_kvm()'s answer, from the file `kvm-probe` in the cache directory when it was given since the host
/// booted, by this version of the probe and about this /dev/kvm. Remembered are success and what stays wrong:
/// a hang, a crash, a capability that is missing. What may pass is not: no /dev/kvm or no right to open it,
/// resources that were not to be had. A hang is believed when the guest hangs for ten times as long too: the
/// host may have been busy. A file that is damaged, foreign or can't be written is as good as none.
/// Errors: kUnavailable with one line of reason. Safe between processes and threads.
[[nodiscard]] Status remembered_probe(const std::filesystem::path& cache_directory,
                                      const ProbedHost& host = {});

}  // namespace ktstr::vmm::kvm
