// Pipes and pairs of sockets, whose ends are closed in programs that are started.
#pragma once

#include "engine/base/fd.h"
#include "engine/base/result.h"

namespace ktstr {

struct Pipe {
  Fd read_end, write_end;
};
/// Errors: kIo.
[[nodiscard]] Result<Pipe> make_pipe();

/// Two connected stream sockets.
struct SocketPair {
  Fd ours, theirs;
};
/// Errors: kIo.
[[nodiscard]] Result<SocketPair> make_socket_pair();

}  // namespace ktstr
