#include "introspect/task/sched_class.h"

namespace ktstr::introspect {

std::map<KernelVirt, std::string> sched_classes(const Kernel& kernel) {
  std::map<KernelVirt, std::string> classes;
  for (const char* name : {"fair", "rt", "dl", "idle", "stop", "ext"})
    if (const auto place = kernel.address(std::string(name) + "_sched_class")) classes.emplace(*place, name);
  return classes;
}

}  // namespace ktstr::introspect
