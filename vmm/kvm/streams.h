// The sockets between a machine and those who look after it.
#pragma once

#include <string_view>

#include "engine/base/fd.h"
#include "engine/base/result.h"

namespace ktstr::vmm::kvm {

/// Two connected stream sockets.
struct Socketpair {
  Fd ours, theirs;
};

/// Errors: kIo.
[[nodiscard]] Result<Socketpair> make_socketpair();

/// Blocks while the reader is behind, which keeps up: it is a thread of ours. What a reader that is gone
/// would have got is lost.
void write_all(int socket, std::string_view bytes);

}  // namespace ktstr::vmm::kvm
