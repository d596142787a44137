#include "engine/guest/attach_hold.h"

#include <linux/audit.h>
#include <linux/bpf.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstring>

namespace ktstr::engine::guest {
namespace {

#if defined(__x86_64__)
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_AARCH64;
#else
#error "seccomp's name of this architecture is missing"
#endif

// include/uapi/linux/bpf.h of kernels that the build machine's headers may not know.
constexpr std::uint32_t kStructOps = 44;      // enum bpf_attach_type: BPF_STRUCT_OPS
constexpr std::size_t kAttachTypeOffset = 8;  // union bpf_attr: link_create.attach_type

constexpr std::uint32_t kNumberAt = offsetof(seccomp_data, nr);
constexpr std::uint32_t kArchitectureAt = offsetof(seccomp_data, arch);
constexpr std::uint32_t kCommandAt = offsetof(seccomp_data, args);  // the low half: little-endian

const sock_filter kFilter[] = {
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, kArchitectureAt),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kArchitecture, 0, 5),
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, kNumberAt),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_bpf, 0, 3),
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, kCommandAt),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, BPF_LINK_CREATE, 0, 1),
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
};

/// Whether the call would attach a struct_ops map. Memory that can't be read is left to the kernel to refuse.
bool is_attachment(const seccomp_notif& call) {
  std::uint32_t type = 0;
  if (call.data.args[2] < kAttachTypeOffset + sizeof type) return false;
  const iovec here{&type, sizeof type};
  const iovec there{reinterpret_cast<void*>(call.data.args[1] + kAttachTypeOffset), sizeof type};
  return ::process_vm_readv(static_cast<pid_t>(call.pid), &here, 1, &there, 1, 0) == sizeof type &&
         type == kStructOps;
}

/// The kernel writes as much as its own version of the structure has.
union Notification {
  seccomp_notif call;
  std::array<std::byte, 512> room;
};

}  // namespace

int hold_attachments() {
  const sock_fprog program{static_cast<unsigned short>(std::size(kFilter)),
                           const_cast<sock_filter*>(kFilter)};
  return static_cast<int>(
      ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program));
}

void AttachHold::serve() {
  while (true) {
    pollfd waiting{listener_.get(), POLLIN, 0};
    const bool ready = ::poll(&waiting, 1, 0) == 1;
    if (ready && (waiting.revents & POLLIN) == 0) listener_.reset();  // nobody is left who could call
    if (!ready || !listener_) return;
    Notification notification{};
    if (::ioctl(listener_.get(), SECCOMP_IOCTL_NOTIF_RECV, &notification) < 0) return;
    const bool held = !open_ && is_attachment(notification.call);
    // The thread may have died while its memory was read, and another have got its number.
    const auto id = notification.call.id;
    if (::ioctl(listener_.get(), SECCOMP_IOCTL_NOTIF_ID_VALID, &id) < 0) continue;
    held ? held_.push_back(id) : go_on(id);
  }
}

/// Fails when the thread is gone, or a signal has taken it out of its call: it will call again then.
void AttachHold::go_on(std::uint64_t id) const {
  seccomp_notif_resp answer{};
  answer.id = id;
  answer.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
  static_cast<void>(::ioctl(listener_.get(), SECCOMP_IOCTL_NOTIF_SEND, &answer));
}

void AttachHold::open() {
  open_ = true;
  for (const auto id : held_) go_on(id);
  held_.clear();
  serve();
}

}  // namespace ktstr::engine::guest
