#include "vmm/kvm/streams.h"

#include <sys/socket.h>

#include <array>

namespace ktstr::vmm::kvm {

Result<Socketpair> make_socketpair() {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0)
    return system_error("socketpair");
  return Socketpair{Fd(ends[0]), Fd(ends[1])};
}

void write_all(int socket, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto count = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return;
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
}

}  // namespace ktstr::vmm::kvm
