// bench_boot: time from start to agent-ready, ours against plain QEMU commands.
// The contenders take turns, so that a host that gets busier or faster on the way hits all of them; each
// round gives a ratio, and the median of the rounds' ratios is what is judged.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "bench/boot/contender.h"
#include "bench/boot/set_up_cost.h"
#include "vmm/initramfs.h"
#include "vmm/kvm/kvm.h"
#include "vmm/qemu/tsc.h"

namespace ktstr::bench {
namespace {

constexpr double kBestPlainLimit = 1.10;
constexpr double kUntunedLimit = 0.50;
constexpr double kBestPlainLimitKvm = 0.80;
constexpr double kSetUpMilliseconds = 20, kSetUpMebibytes = 8;
constexpr int kBootTries = 3, kSetUpTries = 5;

/// Two tuned commands of plain QEMU: the ELF without KASLR, and the bzImage with it.
void add_best_plain(std::vector<Contender>& all, const Guest& guest, const std::string& kernel_arguments,
                    std::initializer_list<std::string> processor) {
  std::vector<std::string> microvm{"-M",       "microvm", "-nodefaults", "-no-user-config",
                                   "-display", "none",    "-no-reboot",  "-smp",
                                   "2",        "-m",      "512"};
  microvm.insert(microvm.end(), processor);
  const auto arguments = "console=ttyS0 quiet cryptomgr.notests panic=-1" + kernel_arguments;
  all.push_back(plain_qemu("best plain: microvm, ELF, tuned arguments", guest.kernel.elf, guest.initramfs,
                           arguments + " nokaslr", microvm));
  all.push_back(plain_qemu("best plain with KASLR: microvm, bzImage", guest.kernel.bzimage, guest.initramfs,
                           arguments, microvm));
}

std::vector<Contender> contenders(const Guest& guest, vmm::Backend backend) {
  std::vector<Contender> all{our_machine(guest, "ours, KASLR (default)", true, backend),
                             our_machine(guest, "ours, no KASLR", false, backend)};
  if (backend == vmm::Backend::kKvm) {
    add_best_plain(all, guest, "", {"-accel", "kvm", "-cpu", "host"});
    return all;
  }
  add_best_plain(all, guest, fmt::format(" tsc_early_khz={}", vmm::qemu::host_tsc_khz()),
                 {"-cpu", "max", "-accel", "tcg,thread=single"});
  all.push_back(plain_qemu("untuned: pc, bzImage", guest.kernel.bzimage, guest.initramfs, "console=ttyS0",
                           {"-smp", "2", "-m", "512", "-nographic", "-monitor", "none"}));
  return all;
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const auto middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

/// The median over the rounds of a's time by b's.
double ratio(const std::vector<std::vector<double>>& rounds, std::size_t a, std::size_t b) {
  std::vector<double> ratios;
  for (const auto& round : rounds) ratios.push_back(round[a] / round[b]);
  return median(ratios);
}

void print_times(const std::vector<Contender>& all, const std::vector<std::vector<double>>& rounds) {
  for (std::size_t i = 0; i < all.size(); ++i) {
    std::vector<double> times;
    for (const auto& round : rounds) times.push_back(round[i]);
    fmt::print("{:44} median {:6.3f} s, least {:6.3f} s\n", all[i].name, median(times),
               *std::min_element(times.begin(), times.end()));
  }
}

bool judge(std::string_view what, double value, double limit) {
  fmt::print("{:60} {:5.2f} (at most {:.2f}) {}\n", what, value, limit, value <= limit ? "ok" : "MISSED");
  return value <= limit;
}

/// A guest of multi-threaded TCG may hang or die on its way (docs/vmm.md): a boot is tried again, and said
/// so.
Result<Seconds> boot(const Contender& contender) {
  for (int failures = 1;; ++failures) {
    auto time = contender.boot();
    if (time) return time;
    fmt::print("{}: {}\n", contender.name, time.error().message);
    if (failures == kBootTries) return time;
  }
}

Result<std::vector<std::vector<double>>> run(const std::vector<Contender>& all, int count) {
  std::vector<std::vector<double>> rounds;
  for (int i = 0; i < count; ++i) {
    std::vector<double> round;
    for (const auto& contender : all) round.push_back(KTSTR_TRY(boot(contender)).count());
    fmt::print("round {}: {:.3f} s\n", i + 1, fmt::join(round, " "));
    std::fflush(stdout);
    rounds.push_back(std::move(round));
  }
  return rounds;
}

/// Of several tries the least: what others on the host cost is not ours.
template <class Measure>
Result<double> least_of(Measure measure) {
  double least = KTSTR_TRY(measure());
  for (int i = 1; i < kSetUpTries; ++i) least = std::min(least, KTSTR_TRY(measure()));
  return least;
}

/// Where /dev/kvm makes no machine, the greater part of it.
Result<bool> judge_loading(const Guest& guest) {
  bool quick = true;
  for (const bool kaslr : {true, false}) {
    const auto name = fmt::format("loading a kernel for KVM{}, CPU time in ms", kaslr ? ", KASLR" : "");
    quick &= judge(name, KTSTR_TRY(least_of([&] { return loading_cost(guest, kaslr); })), kSetUpMilliseconds);
  }
  return quick;
}

/// A machine can be made and started here even where its guest would not get far.
Result<bool> judge_set_up(const Guest& guest) {
  if (!vmm::kvm::Kvm::open()) return judge_loading(guest);
  bool met = true;
  double most_mebibytes = 0;
  for (const bool kaslr : {true, false}) {
    const auto measure = [&]() -> Result<double> {
      const auto cost = KTSTR_TRY(set_up_cost(guest, kaslr));
      most_mebibytes = std::max(most_mebibytes, static_cast<double>(cost.resident_bytes) / (1 << 20));
      return cost.cpu_ms;
    };
    const double cpu_ms = KTSTR_TRY(least_of(measure));
    met &= judge(fmt::format("set-up{}, CPU time in ms", kaslr ? ", KASLR" : ""), cpu_ms, kSetUpMilliseconds);
  }
  return met & judge("set-up, resident MiB beyond the guest's RAM", most_mebibytes, kSetUpMebibytes);
}

Result<bool> bench(int rounds, vmm::Backend backend, const std::filesystem::path& initramfs) {
  const auto store = KTSTR_TRY(engine::KernelStore::open());
  const Guest guest{KTSTR_TRY(store.resolve(std::nullopt)), initramfs};
  KTSTR_TRY(vmm::write_initramfs({{"init", std::filesystem::path(KTSTR_BOOT_INIT)}}, initramfs));
  const bool kvm = backend == vmm::Backend::kKvm;
  bool met = KTSTR_TRY(judge_set_up(guest));
  const auto all = contenders(guest, backend);
  const auto times = KTSTR_TRY(run(all, rounds));
  print_times(all, times);
  const double limit = kvm ? kBestPlainLimitKvm : kBestPlainLimit;
  met &= judge("ours without KASLR / best plain (which has none)", ratio(times, 1, 2), limit);
  met &= judge("ours with KASLR / best plain with KASLR", ratio(times, 0, 3), limit);
  if (!kvm) met &= judge("ours with KASLR / untuned", ratio(times, 0, 4), kUntunedLimit);
  fmt::print("{:60} {:5.2f}\n", "ours with KASLR / best plain without", ratio(times, 0, 2));
  return met;
}

}  // namespace
}  // namespace ktstr::bench

int main(int argc, char** argv) {
  CLI::App app("Time from start to agent-ready");
  int rounds = 7;
  app.add_option("--rounds", rounds, "how often each contender boots")->check(CLI::PositiveNumber);
  bool kvm = false;
  app.add_flag("--kvm", kvm, "ktstr's own machine against QEMU on KVM, instead of the emulating ones");
  CLI11_PARSE(app, argc, argv);
  const auto initramfs =
      std::filesystem::temp_directory_path() / fmt::format("ktstr-bench-boot-{}", ::getpid());
  const auto met =
      ktstr::bench::bench(rounds, kvm ? ktstr::vmm::Backend::kKvm : ktstr::vmm::Backend::kQemu, initramfs);
  std::filesystem::remove(initramfs);
  if (!met) fmt::print(stderr, "bench_boot: {}\n", met.error().message);
  return met ? (*met ? 0 : 1) : 3;
}
