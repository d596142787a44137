#include "engine/base/pipe.h"

#include <fcntl.h>
#include <sys/socket.h>

#include <cstring>

#include "engine/base/io.h"

namespace ktstr {
namespace {

/// What a message with one descriptor is made of.
struct FdMessage {
  FdMessage(char* text, std::size_t size) : data{text, size} {}
  iovec data;
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  msghdr header{nullptr, 0, &data, 1, control, sizeof control, 0};
};

}  // namespace

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

ssize_t send_with_fd(int socket, std::string_view text, int fd) {
  FdMessage message(const_cast<char*>(text.data()), text.size());
  auto* control = CMSG_FIRSTHDR(&message.header);
  control->cmsg_level = SOL_SOCKET;
  control->cmsg_type = SCM_RIGHTS;
  control->cmsg_len = CMSG_LEN(sizeof fd);
  std::memcpy(CMSG_DATA(control), &fd, sizeof fd);
  return retry([&] { return ::sendmsg(socket, &message.header, MSG_NOSIGNAL); });
}

Fd receive_fd(int socket) {
  char byte;
  FdMessage message(&byte, 1);
  if (::recvmsg(socket, &message.header, MSG_CMSG_CLOEXEC | MSG_DONTWAIT) != 1) return Fd();
  const auto* control = CMSG_FIRSTHDR(&message.header);
  if (!control || control->cmsg_type != SCM_RIGHTS || control->cmsg_len != CMSG_LEN(sizeof(int))) return Fd();
  int fd = -1;
  std::memcpy(&fd, CMSG_DATA(control), sizeof fd);
  return Fd(fd);
}

}  // namespace ktstr
