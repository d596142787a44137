// Which of the backends makes a machine, and of which topologies they can.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "engine/base/describe.h"
#include "engine/base/result.h"
#include "vmm/machine.h"
#include "vmm/topology.h"

namespace ktstr {
namespace vmm {

enum class Backend { kAuto, kKvm, kQemu, kQemuKvm };

/// Why this host's KVM does not boot kernels, in one line; nullopt when it does. Found out by
/// trying (vmm/kvm/probe.h), once for each boot of the host.
[[nodiscard]] std::optional<std::string> why_not_kvm();

/// Starts a machine. Errors: kUnavailable with why_not_kvm() for a backend that needs KVM; those of
/// KvmMachine::start() and start_qemu().
[[nodiscard]] Result<std::unique_ptr<Machine>> start_machine(MachineConfig config, Backend backend);

/// Whether `backend` can make a machine of this topology here; kAuto: whether any that start_machine() would
/// take can. Errors (kInvalidArgument) name the topology, each backend that was asked and its limit. Memory
/// is not looked at: see plan_banks(). Precondition: topology.check(). May probe KVM (why_not_kvm()), but
/// only where the answer hangs on it.
[[nodiscard]] Status expressible(Backend backend, const Topology& topology);

}  // namespace vmm

template <>
inline constexpr auto describe<vmm::Backend> = enumeration<vmm::Backend>(
    "Backend",
    {{"auto", vmm::Backend::kAuto, "ktstr's own machine where this host's KVM boots kernels, else QEMU"},
     {"kvm", vmm::Backend::kKvm, "ktstr's own machine on /dev/kvm"},
     {"qemu", vmm::Backend::kQemu, "QEMU, which emulates the guest's CPUs"},
     {"qemu-kvm", vmm::Backend::kQemuKvm, "QEMU on /dev/kvm"}});

}  // namespace ktstr
