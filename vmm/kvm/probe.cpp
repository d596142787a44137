#include "vmm/kvm/probe.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <condition_variable>
#include <iterator>
#include <mutex>
#include <optional>

#include "vmm/apic_id.h"
#include "vmm/guest_ram.h"
#include "vmm/kvm/cpuid.h"
#include "vmm/kvm/guest_memory.h"
#include "vmm/kvm/layout.h"
#include "vmm/kvm/probe_payload.h"
#include "vmm/kvm/vcpu.h"
#include "vmm/kvm/vm.h"
#include "vmm/linux_boot.h"

extern "C" const std::byte ktstr_probe_begin[], ktstr_probe_entry[], ktstr_probe_end[];

namespace ktstr::vmm::kvm {
namespace {

using Clock = std::chrono::steady_clock;

constexpr Topology kTwoCpus{1, 1, 2, 1};

constexpr const char* kStageNames[] = {"entry into the guest",
                                       "page tables of the guest's own",
                                       "20 million instructions, as if it emulated each",
                                       "page fault",
                                       "wrmsr LSTAR",
                                       "cpuid",
                                       "local APIC registers",
                                       "local APIC timer, one-shot",
                                       "local APIC timer, TSC deadline",
                                       "start of a second CPU",
                                       "interrupt from the second CPU",
                                       "port write"};
static_assert(std::size(kStageNames) == KTSTR_PROBE_AT_REPORT + 1);

/// How it went: nothing, or how it went wrong. The first to tell is believed.
class Outcome {
 public:
  void settle(Status status) {
    const std::lock_guard lock(mutex_);
    if (!status_) status_ = std::move(status);
    settled_.notify_all();
  }
  std::optional<Status> wait_until(Clock::time_point deadline) {
    std::unique_lock lock(mutex_);
    settled_.wait_until(lock, deadline, [this] { return status_.has_value(); });
    return status_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable settled_;
  std::optional<Status> status_;
};

class ReportPort final : public Device {
 public:
  explicit ReportPort(Outcome& outcome) : outcome_(outcome) {}
  void read(std::uint64_t, std::span<std::byte>) override {}
  void write(std::uint64_t, std::span<const std::byte> data) override {
    if (data[0] == std::byte{KTSTR_PROBE_DONE}) return outcome_.settle(ok());
    outcome_.settle(Error{ErrorCode::kEmulatorFailed, "the guest was answered wrongly"});
  }

 private:
  Outcome& outcome_;
};

class ProbeMachine {
 public:
  static Result<std::unique_ptr<ProbeMachine>> create(const Kvm& kvm);
  ~ProbeMachine();

  Status run(Clock::time_point deadline, std::uint32_t hang_at);

 private:
  explicit ProbeMachine(GuestRam ram) : ram_(std::move(ram)) {}
  Status prepare(const Kvm& kvm);
  void load() const;
  void put(GuestPhys at, std::span<const std::byte> bytes) const;
  std::atomic_ref<std::uint32_t> word(std::uint64_t at) const;

  GuestRam ram_;
  Outcome outcome_;
  ReportPort port_{outcome_};
  Bus ports_, memory_;
  PauseGate gate_{kTwoCpus.cpus()};
  const VcpuSurroundings surroundings_{
      .ports = ports_,
      .memory = memory_,
      .gate = gate_,
      .on_shutdown =
          [this] {
            outcome_.settle(Error{ErrorCode::kEmulatorFailed, "the guest crashed"});
          },
      .on_failure = [this](Error error) { outcome_.settle(std::move(error)); },
      .on_debug = [](std::size_t, const kvm_debug_exit_arch&) {}};
  std::optional<Vm> vm_;
  std::vector<std::unique_ptr<Vcpu>> vcpus_;  // last: their threads use everything else
};

Result<std::unique_ptr<ProbeMachine>> ProbeMachine::create(const Kvm& kvm) {
  constexpr std::array<std::uint64_t, 1> kBanks{KTSTR_PROBE_RAM_BYTES};
  std::unique_ptr<ProbeMachine> machine(new ProbeMachine(KTSTR_TRY(GuestRam::create(kBanks))));
  KTSTR_TRY(machine->prepare(kvm));
  return machine;
}

Status ProbeMachine::prepare(const Kvm& kvm) {
  load();
  ports_.insert(KTSTR_PROBE_PORT, 1, port_);
  const MemoryRegion region{GuestPhys(), ram_.bytes(0)};
  vm_ = KTSTR_TRY(Vm::create(kvm, std::span(&region, 1), kTwoCpus.cpus(), largest_apic_id(kTwoCpus)));
  const auto supported = KTSTR_TRY(kvm.supported_cpuid());
  for (std::size_t cpu = 0; cpu < kTwoCpus.cpus(); ++cpu) {
    auto vcpu = KTSTR_TRY(Vcpu::create(kvm, vm_->fd(), cpu, apic_id(kTwoCpus, cpu), surroundings_));
    KTSTR_TRY(vcpu->set_cpuid(guest_cpuid(supported, kTwoCpus, cpu)));
    KTSTR_TRY(vcpu->set_up());
    vcpus_.push_back(std::move(vcpu));
  }
  const auto entry = static_cast<std::uint64_t>(ktstr_probe_entry - ktstr_probe_begin);
  return vcpus_[0]->set_boot_registers(GuestPhys(KTSTR_PROBE_CODE + entry), GuestPhys());
}

void ProbeMachine::load() const {
  const auto map = identity_map(kPageTables);
  put(kPageTables, std::as_bytes(std::span(map)));
  put(kGdt, std::as_bytes(std::span(kBootGdt)));
  put(GuestPhys(KTSTR_PROBE_CODE), {ktstr_probe_begin, ktstr_probe_end});
}

void ProbeMachine::put(GuestPhys at, std::span<const std::byte> bytes) const {
  std::ranges::copy(bytes, ram_.bytes(0).subspan(at.value(), bytes.size()).begin());
}

std::atomic_ref<std::uint32_t> ProbeMachine::word(std::uint64_t at) const {
  return std::atomic_ref(*reinterpret_cast<std::uint32_t*>(ram_.bytes(0).data() + at));
}

ProbeMachine::~ProbeMachine() {
  gate_.end();
  vcpus_.clear();
}

Status ProbeMachine::run(Clock::time_point deadline, std::uint32_t hang_at) {
  word(KTSTR_PROBE_HANG_AT) = hang_at;
  for (auto& vcpu : vcpus_) vcpu->start();
  gate_.open();
  auto outcome = outcome_.wait_until(deadline);
  const std::string stage = probe_stage_name(word(KTSTR_PROBE_STAGE));
  if (!outcome) return Error{ErrorCode::kTimeout, "KVM hangs at: " + stage};
  if (!*outcome) return std::move(outcome->error()).with_context("KVM fails at: " + stage);
  return ok();
}

}  // namespace

const char* probe_stage_name(std::uint32_t number) {
  return number < std::size(kStageNames) ? kStageNames[number] : "a stage that is none of the guest's";
}

Status run_probe(const ProbeSettings& settings) {
  const auto deadline = Clock::now() + settings.deadline.chrono();
  const auto kvm = KTSTR_TRY(Kvm::open());
  const auto machine = KTSTR_TRY(ProbeMachine::create(kvm));
  if (Clock::now() >= deadline)
    return Error{ErrorCode::kTimeout,
                 "KVM had no machine ready within " + format_duration(settings.deadline)};
  return machine->run(deadline, settings.hang_at);
}

Status probe_kvm(Duration deadline) {
  auto status = run_probe({.deadline = deadline});
  if (!status) status.error().code = ErrorCode::kUnavailable;
  return status;
}

}  // namespace ktstr::vmm::kvm
