// A machine whose guest runs a program that uses KVM: what a host with KVM would do, under emulation.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "engine/base/result.h"
#include "vmm/initramfs.h"

namespace ktstr::vmm {

struct NestedProgram {
  std::filesystem::path program;  ///< of this host; its shared libraries come along
  std::vector<std::string> arguments;
  std::vector<InitramfsFile> files;          ///< further files of the machine's root
  std::vector<std::filesystem::path> tools;  ///< programs that it starts, to be found in PATH
  std::size_t cpus = 1;
  std::vector<std::string> kernel_args;  ///< of the machine that the program runs in
  bool echo = false;                     ///< show its output as it comes, on standard error
};

struct NestedOutcome {
  int status = 0;      ///< as a shell tells it
  std::string output;  ///< what it wrote
};

/// Boots the default kernel with SVM under QEMU, loads its KVM modules, runs the program, which finds that
/// kernel cached, and waits for its end. Errors: kNotFound when no kernel is cached or its modules can't be
/// had any more; kUnavailable without QEMU, or network when it is needed; kTimeout; what ended the guest.
[[nodiscard]] Result<NestedOutcome> run_nested(NestedProgram program);

}  // namespace ktstr::vmm
