// run_nested [FILE=PATH ...] [tool=PATH ...] [cpus=N] [args=KERNEL_ARGUMENT ...] PROGRAM [ARGUMENT ...]: runs
// a program in a guest that has KVM, see nested_machine.h. FILE=PATH adds a file of this host to the guest's
// root, tool=PATH a program to its PATH.
#include <cstdio>
#include <cstdlib>

#include "tests/vmm/nested/nested_machine.h"

int main(int argc, char** argv) {
  ktstr::vmm::NestedProgram what;
  what.echo = true;
  int next = 1;
  for (; next < argc; ++next) {
    const std::string word = argv[next];
    const auto equals = word.find('=');
    if (equals == word.npos) break;
    const auto key = word.substr(0, equals), value = word.substr(equals + 1);
    if (key == "tool")
      what.tools.push_back(value);
    else if (key == "cpus")
      what.cpus = std::strtoul(value.c_str(), nullptr, 10);
    else if (key == "args")
      what.kernel_args.push_back(value);
    else
      what.files.push_back({key, std::filesystem::path(value)});
  }
  if (next == argc)
    return std::fputs("usage: run_nested [FILE=PATH ...] PROGRAM [ARGUMENT ...]\n", stderr), 2;
  what.program = argv[next++];
  for (; next < argc; ++next) what.arguments.push_back(argv[next]);
  const auto outcome = ktstr::vmm::run_nested(std::move(what));
  if (!outcome) return std::fprintf(stderr, "%s\n", outcome.error().message.c_str()), 1;
  return outcome->status;
}
