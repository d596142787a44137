// How scx_ktstr's process ends.
#pragma once

namespace ktstr::bpf {

enum ExitStatus : int {
  kDetached = 0,   ///< removed by SIGTERM or SIGINT, or the scheduler left without an error
  kBadUsage = 2,   ///< unknown or wrong arguments
  kNotLoaded = 3,  ///< the kernel refused to load or attach it
  kKickedOut = 4,  ///< the kernel removed it because of an error
};

}  // namespace ktstr::bpf
