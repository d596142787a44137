// page_fault_churn: maps a region, touches random pages with a spin between, drops it. Work unit: a touch.
// Iteration: a region.
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>

#include "engine/guest/works/works.h"

namespace ktstr::engine::guest {

Status run(const PageFaultChurn& work, WorkContext context) {
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  const auto pages = std::max<std::size_t>(work.size.bytes / page, 1);
  while (!stopping()) {
    void* region = ::mmap(nullptr, pages * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (region == MAP_FAILED) return system_error("map a region");
    ::madvise(region, pages * page,
              MADV_NOHUGEPAGE);  // refused by kernels without huge pages, which need no advice
    auto* bytes = static_cast<volatile unsigned char*>(region);
    std::uint32_t touches = 0;
    for (; touches < work.touches && !stopping(); ++touches) {
      bytes[context.recorder.random().below(pages) * page] = 1;
      spin(work.spin);
    }
    ::munmap(region, pages * page);
    context.recorder.iteration(touches);
  }
  return ok();
}

}  // namespace ktstr::engine::guest
