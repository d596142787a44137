#include "vmm/kvm/seccomp.h"

#include <linux/kvm.h>
#include <linux/seccomp.h>
#include <malloc.h>
#include <pthread.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <mutex>

#include "engine/base/check.h"
#include "engine/base/fd.h"
#include "vmm/kvm/ioctl.h"

#if defined(__has_feature)
#define KTSTR_SANITIZER(feature) __has_feature(feature)
#else
#define KTSTR_SANITIZER(feature) 0
#endif

namespace ktstr::vmm::kvm {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || KTSTR_SANITIZER(address_sanitizer) || \
    KTSTR_SANITIZER(thread_sanitizer) || KTSTR_SANITIZER(memory_sanitizer)
const bool kThreadsAreConfined = false;
#else
const bool kThreadsAreConfined = true;
#endif

namespace {

/// Whatever their arguments.
constexpr int kAllowed[] = {
    // bytes of descriptors that are open: the channel, eventfds, the console's socket, stderr
    SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(writev), SCMP_SYS(recvfrom), SCMP_SYS(recvmsg),
    SCMP_SYS(sendmsg), SCMP_SYS(poll), SCMP_SYS(ppoll),
    // malloc, beside those below
    SCMP_SYS(brk), SCMP_SYS(munmap), SCMP_SYS(madvise), SCMP_SYS(sched_getaffinity),
    // locks and clocks
    SCMP_SYS(futex), SCMP_SYS(sched_yield), SCMP_SYS(clock_gettime), SCMP_SYS(gettimeofday), SCMP_SYS(time),
    SCMP_SYS(restart_syscall),
    // kicks, aborts and the thread's end
    SCMP_SYS(rt_sigreturn), SCMP_SYS(rt_sigprocmask), SCMP_SYS(getpid), SCMP_SYS(gettid), SCMP_SYS(exit),
    SCMP_SYS(exit_group)};

using Context = std::unique_ptr<void, decltype(&::seccomp_release)>;

scmp_arg_cmp equals(unsigned argument, std::uint64_t value) {
  return {argument, SCMP_CMP_EQ, value, 0};
}
/// Of the bits in `mask` only those of `bits` are set.
scmp_arg_cmp has_bits(unsigned argument, std::uint64_t mask, std::uint64_t bits) {
  return {argument, SCMP_CMP_MASKED_EQ, mask, bits};
}

/// Collects rules; the first failure is kept.
class Rules {
 public:
  explicit Rules(scmp_filter_ctx context) : context_(context) {}

  template <class... Comparison>
  void allow(int call, Comparison... comparisons) {
    const std::array<scmp_arg_cmp, sizeof...(comparisons)> all{comparisons...};
    note(::seccomp_rule_add_array(context_, SCMP_ACT_ALLOW, call, all.size(), all.data()));
  }
  void note(int result) {
    if (result < 0 && failure_ == 0) failure_ = -result;
  }
  [[nodiscard]] Status status() const {
    return failure_ == 0 ? ok() : Status(system_error("seccomp filter", failure_));
  }

 private:
  scmp_filter_ctx context_;
  int failure_ = 0;
};

void allow_memory(Rules& rules) {
  rules.allow(SCMP_SYS(mmap), has_bits(2, PROT_EXEC, 0), has_bits(3, MAP_ANONYMOUS, MAP_ANONYMOUS));
  rules.allow(SCMP_SYS(mprotect), has_bits(2, PROT_EXEC, 0));
  rules.allow(SCMP_SYS(mremap), has_bits(3, ~std::uint64_t{MREMAP_MAYMOVE}, 0));
}

void allow_vcpu(Rules& rules) {
  rules.allow(SCMP_SYS(ioctl), equals(1, KVM_RUN));
  rules.allow(SCMP_SYS(ioctl), equals(1, table_request(KVM_SET_GSI_ROUTING)));
}

Status add_rules(scmp_filter_ctx context, ConfinedThread kind) {
  Rules rules(context);
  for (const int call : kAllowed) rules.allow(call);
  rules.allow(SCMP_SYS(sendto), equals(4, 0));  // to no address: where it is connected to
  rules.allow(SCMP_SYS(tgkill), equals(0, static_cast<std::uint64_t>(::getpid())));
  allow_memory(rules);
  if (kind == ConfinedThread::kVcpu) allow_vcpu(rules);
  rules.note(::seccomp_syscall_priority(context, SCMP_SYS(ioctl), UINT8_MAX));
  return rules.status();
}

/// The context as the kernel takes it. libseccomp gives it to a file.
Result<std::vector<sock_filter>> compile(scmp_filter_ctx context) {
  const Fd file(::memfd_create("ktstr-seccomp", MFD_CLOEXEC));
  if (!file) return system_error("memfd_create");
  if (const int result = ::seccomp_export_bpf(context, file.get()); result < 0)
    return system_error("seccomp filter", -result);
  const auto bytes = ::lseek(file.get(), 0, SEEK_END);
  std::vector<sock_filter> program(static_cast<std::size_t>(bytes) / sizeof(sock_filter));
  if (bytes < 0 || ::pread(file.get(), program.data(), static_cast<std::size_t>(bytes), 0) != bytes)
    return system_error("read the seccomp filter");
  return program;
}

void append(std::span<char>& to, const char* text) {
  for (; *text != '\0' && !to.empty(); ++text, to = to.subspan(1)) to[0] = *text;
}

void append(std::span<char>& to, int number) {
  std::array<char, 12> digits{};
  auto* at = digits.data() + digits.size() - 1;
  do *--at = static_cast<char>('0' + number % 10);
  while ((number /= 10) != 0);
  append(to, at);
}

/// In a signal's handler: only calls that are safe there, and that the filters allow.
void report_forbidden_call(int, siginfo_t* info, void*) {
  std::array<char, 128> line{};
  std::span<char> rest(line);
  append(rest, "ktstr: a thread that handles a guest's input (id ");
  append(rest, ::gettid());
  append(rest, ") made the forbidden system call ");
  append(rest, info->si_syscall);
  append(rest, "\n");
  static_cast<void>(!::write(STDERR_FILENO, line.data(), line.size() - rest.size()));
  std::abort();
}

void install_trap_handler() {
  static std::once_flag once;
  std::call_once(once, [] {
    struct sigaction action {};
    action.sa_sigaction = report_forbidden_call;
    action.sa_flags = SA_SIGINFO;
    ::sigemptyset(&action.sa_mask);
    ::sigaction(SIGSYS, &action, nullptr);
  });
}

/// A signal that is blocked can't be handled: the process would die without a word.
void unblock_trap() {
  sigset_t trap;
  ::sigemptyset(&trap);
  ::sigaddset(&trap, SIGSYS);
  ::pthread_sigmask(SIG_UNBLOCK, &trap, nullptr);
}

/// The allocator sets itself up in a thread at its first use.
void allocate_once() {
  static_cast<void>(std::make_unique<std::array<std::byte, 64>>());
}

/// glibc looks into /proc/sys/vm/overcommit_memory before it first gives a part of a thread's heap back. So
/// none is given back; and as setting that ends glibc's adjusting of what is mapped apart, that is set to the
/// largest it takes, as far as it would have adjusted it.
void keep_heaps() {
  constexpr int kLargestMmapThreshold = 32 << 20;  // HEAP_MAX_SIZE / 2
  ::mallopt(M_TRIM_THRESHOLD, -1);
  ::mallopt(M_MMAP_THRESHOLD, kLargestMmapThreshold);
}

}  // namespace

Result<SyscallFilter> SyscallFilter::create(ConfinedThread kind) {
  SyscallFilter filter;
  if (!kThreadsAreConfined) return filter;
  const std::uint32_t action = SECCOMP_RET_TRAP;
  if (::syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) != 0)
    return Error{ErrorCode::kUnavailable, "this kernel has no seccomp filters"};
  const Context context(::seccomp_init(SCMP_ACT_TRAP), &::seccomp_release);
  if (!context) return system_error("seccomp filter", ENOMEM);
  KTSTR_TRY(add_rules(context.get(), kind));
  filter.program_ = KTSTR_TRY(compile(context.get()));
  install_trap_handler();
  keep_heaps();
  return filter;
}

// SPEC_ALLOW: kernels before 5.16 switch speculation off for confined threads, which slows the guest and
// protects nothing: what KVM does at a guest's entry and exit stays.
void SyscallFilter::confine_this_thread() const {
  if (program_.empty()) return;
  unblock_trap();
  allocate_once();
  const sock_fprog program{static_cast<unsigned short>(program_.size()),
                           const_cast<sock_filter*>(program_.data())};
  KTSTR_CHECK(::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
  KTSTR_CHECK(::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW, &program) == 0);
}

}  // namespace ktstr::vmm::kvm
