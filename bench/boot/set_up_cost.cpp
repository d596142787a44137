#include "bench/boot/set_up_cost.h"

#include <ctime>
#include <fstream>
#include <string>

#include "vmm/guest_ram.h"
#include "vmm/kvm/boot.h"
#include "vmm/kvm/kvm_machine.h"
#include "vmm/memory_plan.h"

namespace ktstr::bench {
namespace {

double thread_cpu_ms() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_nsec) / 1e6;
}

/// RssAnon of proc(5).
Result<std::int64_t> anonymous_bytes() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    std::int64_t kib = 0;
    if (word == "RssAnon:" && status >> kib) return kib * 1024;
  }
  return Error{ErrorCode::kNotFound, "/proc/self/status has no RssAnon"};
}

}  // namespace

Result<SetUpCost> set_up_cost(const Guest& guest, bool kaslr) {
  const auto config = KTSTR_TRY(machine_config(guest, kaslr));
  const auto bytes = KTSTR_TRY(anonymous_bytes());
  const double cpu = thread_cpu_ms();
  const auto machine = KTSTR_TRY(vmm::kvm::KvmMachine::start(config));
  const double cpu_after = thread_cpu_ms();
  const auto bytes_after = KTSTR_TRY(anonymous_bytes());
  return SetUpCost{cpu_after - cpu, bytes_after - bytes};
}

Result<double> loading_cost(const Guest& guest, bool kaslr) {
  const auto config = KTSTR_TRY(machine_config(guest, kaslr));
  const double cpu = thread_cpu_ms();
  const auto plan = KTSTR_TRY(vmm::plan_banks(config));
  auto ram = KTSTR_TRY(vmm::GuestRam::create(plan));
  std::vector<std::span<std::byte>> banks;
  for (std::size_t bank = 0; bank < ram.bank_count(); ++bank) banks.push_back(ram.bytes(bank));
  KTSTR_TRY(vmm::kvm::load_guest(config, ram, vmm::kvm::lay_out_ram(banks)));
  return thread_cpu_ms() - cpu;
}

}  // namespace ktstr::bench
