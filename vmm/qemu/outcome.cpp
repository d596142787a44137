#include "vmm/qemu/outcome.h"

#include <fmt/format.h>
#include <signal.h>

#include "engine/base/system_names.h"
#include "vmm/qemu/monitor_text.h"

namespace ktstr::vmm::qemu {
namespace {

MachineEvent failed(ErrorCode code, std::string message) {
  return MachineFailed{{code, std::move(message)}};
}

/// Signals that are sent from outside; any other that ends QEMU is its own doing.
bool is_sent_from_outside(int signal) {
  return signal == SIGKILL || signal == SIGTERM || signal == SIGINT || signal == SIGHUP;
}

/// "terminating on signal 15 from pid 1" is QEMU's word for an orderly end by SIGTERM, SIGINT or SIGHUP.
bool ended_by_signal_handler(const EndOfMachine& end) {
  return end.shutdown_reason == "host-signal";
}

std::string with_error_output(std::string message, const std::string& output) {
  const auto tail = last_lines(output, 5);
  return tail.empty() ? message : message + ": " + tail;
}

/// How the process ended, whatever the console says.
MachineEvent classify_exit(const EndOfMachine& end) {
  if (end.killed_by_us) return failed(ErrorCode::kCancelled, "the machine was ended by its owner");
  if (end.exit.signalled) return failed(ErrorCode::kIo, "QEMU was killed by " + signal_name(end.exit.code));
  if (ended_by_signal_handler(end))
    return failed(ErrorCode::kIo, with_error_output("QEMU was told to end", end.exit.error_output));
  if (end.exit.code != 0)
    return failed(
        ErrorCode::kIo,
        with_error_output(fmt::format("QEMU ended with exit code {}", end.exit.code), end.exit.error_output));
  return GuestExited{};
}

/// The line in which QEMU says that the emulation itself broke.
std::optional<std::string> fatal_line(const std::string& output) {
  for (const auto line : split_lines(output))
    for (const auto* mark : {"tcg fatal error", "qemu: fatal:", "KVM internal error", "KVM: entry failed"})
      if (line.find(mark) != line.npos) return std::string(line);
  return std::nullopt;
}

}  // namespace

MachineEvent classify_end(const EndOfMachine& end) {
  if (const auto line = fatal_line(end.exit.error_output))
    return failed(ErrorCode::kEmulatorFailed, "QEMU gave up: " + *line);
  if (end.exit.signalled && !is_sent_from_outside(end.exit.code))
    return failed(
        ErrorCode::kEmulatorFailed,
        with_error_output("QEMU crashed with " + signal_name(end.exit.code), end.exit.error_output));
  if (end.stop_signal)
    return failed(ErrorCode::kIo, "QEMU was stopped by " + signal_name(*end.stop_signal) +
                                      ": the guest stood still while time went on");
  auto exit = classify_exit(end);
  if (!end.console.panic) return exit;
  GuestPanicked panicked{*end.console.panic};
  if (auto* other = std::get_if<MachineFailed>(&exit)) panicked.other_cause = std::move(other->error);
  return panicked;
}

}  // namespace ktstr::vmm::qemu
