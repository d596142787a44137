// Pipes and pairs of sockets, whose ends are closed in programs that are started.
#pragma once

#include <sys/types.h>

#include <string_view>

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

/// Sends a text whose first byte a copy of `fd` goes with (SCM_RIGHTS). As write(2). Async-signal-safe.
[[nodiscard]] ssize_t send_with_fd(int socket, std::string_view text, int fd);
/// Takes one byte that is there already, and the descriptor that came with it; none: there is none.
[[nodiscard]] Fd receive_fd(int socket);

}  // namespace ktstr
