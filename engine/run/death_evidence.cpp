#include "engine/run/death_evidence.h"

#include <algorithm>

#include "introspect/machine/failure.h"
#include "introspect/machine/kernel_log.h"

namespace ktstr::engine {
namespace {

constexpr std::string_view kPanic = "Kernel panic - not syncing";  // kernel/panic.c, vpanic()
constexpr std::string_view kInt3 = "Oops: int3";                   // arch/x86/kernel/traps.c

/// The first record that begins so and is the kernel's own. Error: the log can't be read.
Result<std::optional<std::string>> kernels_line(const introspect::Kernel& kernel,
                                                std::string_view beginning) {
  const auto records = KTSTR_TRY(introspect::find_log_records(kernel, beginning));
  const auto own = std::ranges::find_if(records, [](const auto& record) { return record.is_kernels(); });
  return own == records.end() ? std::nullopt : std::optional(own->text.substr(0, own->text.find('\n')));
}

}  // namespace

DeathEvidence read_death_evidence(const introspect::Kernel& kernel) {
  DeathEvidence evidence{.panicked = introspect::has_panicked(kernel), .panic_line = {}, .int3_oops = {}};
  if (evidence.panicked.value_or(false)) {
    const auto line = kernels_line(kernel, kPanic);
    if (line) evidence.panic_line = *line;
  }
  const auto oopses = introspect::oops_count(kernel);
  if (!oopses) return evidence;
  evidence.int3_oops = *oopses > 0;
  if (!*evidence.int3_oops) return evidence;
  const auto line = kernels_line(kernel, kInt3);
  if (line) evidence.int3_oops = line->has_value();
  return evidence;
}

vmm::MachineEvent by_evidence(vmm::MachineEvent event, const DeathEvidence& evidence) {
  if (!evidence.panicked || std::holds_alternative<vmm::MachineFailed>(event)) return event;
  auto* told = std::get_if<vmm::GuestPanicked>(&event);
  if (*evidence.panicked)
    return vmm::GuestPanicked{evidence.panic_line.value_or(
        told ? told->console_line
             : "its memory shows a panic; the cause is not in the log and not on the console")};
  if (!told) return event;
  if (told->other_cause) return vmm::MachineFailed{std::move(*told->other_cause)};
  return vmm::GuestExited{};
}

std::optional<std::string> agents_last_words(std::string_view console) {
  constexpr std::string_view kName = "ktstr-agent: ";  // engine/guest/main.cpp, complain()
  std::optional<std::string> words;
  while (!console.empty()) {
    const auto end = console.find('\n');
    auto line = console.substr(0, end);
    while (line.ends_with('\r')) line.remove_suffix(1);
    if (line.starts_with(kName)) words = line.substr(kName.size());
    console.remove_prefix(end == std::string_view::npos ? console.size() : end + 1);
  }
  return words;
}

}  // namespace ktstr::engine
