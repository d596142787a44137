#include "engine/base/pipe.h"

#include <fcntl.h>
#include <sys/socket.h>

namespace ktstr {

Result<Pipe> make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return system_error("pipe");
  return Pipe{Fd(ends[0]), Fd(ends[1])};
}

Result<SocketPair> make_socket_pair() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return system_error("socketpair");
  return SocketPair{Fd(ends[0]), Fd(ends[1])};
}

}  // namespace ktstr
