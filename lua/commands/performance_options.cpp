#include "lua/commands/performance_options.h"

#include <charconv>

namespace ktstr::lua {
namespace {

std::optional<int> whole_number(const std::string& text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

vmm::PerformanceOptions PerformanceArguments::options() const {
  auto options = all ? vmm::full_performance() : vmm::PerformanceOptions{};
  options.pin_vcpus |= pin;
  options.huge_pages |= huge_pages;
  options.prefault |= prefault;
  if (!realtime.empty()) options.realtime_priority = whole_number(realtime);
  options.halt_poll = halt_poll;
  return options;
}

void add_performance_options(CLI::App& command, PerformanceArguments& arguments) {
  constexpr const char* kGroup = "What of this machine the guest gets for itself";
  command
      .add_flag(
          "--performance", arguments.all,
          "All of --pin --realtime --hugepages --prefault, and the guest is told that its CPUs never wait")
      ->group(kGroup);
  command
      .add_flag("--pin", arguments.pin,
                "Each of its CPUs on one of this machine's, LLCs on LLCs and siblings on siblings (kvm only)")
      ->group(kGroup);
  command
      // A number's own flag would count: "=0" is one less to CLI11.
      .add_flag(
          "--realtime{1}", arguments.realtime,
          "Its CPUs before all else that runs here, with this priority of SCHED_FIFO, by default 1 (kvm "
          "only); takes CAP_SYS_NICE")
      ->check([](const std::string& text) {
        return whole_number(text) ? std::string() : "a priority is a whole number, not \"" + text + "\"";
      })
      ->group(kGroup);
  command
      .add_option_function<std::string>(
          "--halt-poll",
          [&arguments](const std::string& text) {
            const auto duration = parse_duration(text);
            if (!duration) throw CLI::ValidationError("--halt-poll", duration.error().message);
            arguments.halt_poll = *duration;
          },
          "The longest that KVM polls for work when a CPU halts, e.g. 200us; 0s: never (kvm only)")
      ->type_name("DURATION")
      ->group(kGroup);
  command
      .add_flag("--hugepages", arguments.huge_pages,
                "Its memory in pages of 2M: reserved ones (vm.nr_hugepages) or else transparent ones")
      ->group(kGroup);
  command.add_flag("--prefault", arguments.prefault, "All of its memory is there before it boots")
      ->group(kGroup);
}

}  // namespace ktstr::lua
