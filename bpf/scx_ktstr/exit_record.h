// How the scheduler ended, as its exit callback tells it.
#pragma once

#include <bpf/libbpf.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "engine/base/result.h"

namespace ktstr::bpf {

struct ExitRecord {
  std::int32_t kind = 0;  ///< enum scx_exit_kind of the running kernel
  std::int64_t code = 0;
  std::string reason;
  std::string message;  ///< empty when there is none
};

/// Whether the kernel removed the scheduler because of an error: SCX_EXIT_ERROR (1024) or above, in every
/// kernel with sched_ext (kernel/sched/ext.c, enum scx_exit_kind).
[[nodiscard]] bool is_error(std::int32_t kind);

/// "exit kind SCX_EXIT_ERROR_STALL (1026), code 0: runnable task stall: ..."; the kind's name from the
/// kernel's own types, left out when they can't be read.
[[nodiscard]] std::string to_string(const ExitRecord& record);

/// The ring buffer "exits".
class ExitReader {
 public:
  /// Errors (kIo): the map can't be mapped.
  [[nodiscard]] static Result<ExitReader> open(int map);

  /// Readable once there is a record.
  [[nodiscard]] int fd() const { return ring_buffer__epoll_fd(ring_.get()); }
  /// The record, or nothing when none came in time.
  [[nodiscard]] std::optional<ExitRecord> read(int timeout_ms);

 private:
  struct Free {
    void operator()(ring_buffer* ring) const { ring_buffer__free(ring); }
  };
  ExitReader() = default;

  std::unique_ptr<std::optional<ExitRecord>> record_ = std::make_unique<std::optional<ExitRecord>>();
  std::unique_ptr<ring_buffer, Free> ring_;
};

}  // namespace ktstr::bpf
