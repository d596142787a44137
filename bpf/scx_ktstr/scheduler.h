// Scheduler: scx_ktstr's BPF object in the kernel.
#pragma once

#include <bpf/libbpf.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "bpf/scx_ktstr/options.h"
#include "engine/base/result.h"

namespace ktstr::bpf {

/// Destroying it detaches the scheduler and unloads the object. One thread.
class Scheduler {
 public:
  /// Loads the object with its variables set and its maps filled. Errors: kInvalidArgument for a value that
  /// no variable can take; kUnavailable with the kernel's word when it refuses the object.
  [[nodiscard]] static Result<Scheduler> load(const Options& options);

  /// Makes it the kernel's scheduler. Errors (kUnavailable): another one is there, or a callback refused.
  [[nodiscard]] Status attach();
  /// Gives the tasks back to the kernel. Its exit is reported through exits_map().
  void detach();

  /// The ring buffer with its end (struct exit_record).
  [[nodiscard]] int exits_map() const { return bpf_object__find_map_fd_by_name(object_.get(), "exits"); }

 private:
  struct CloseObject {
    void operator()(bpf_object* object) const { bpf_object__close(object); }
  };
  struct DestroyLink {
    void operator()(bpf_link* link) const { bpf_link__destroy(link); }
  };
  explicit Scheduler(bpf_object* object) : object_(object) {}

  [[nodiscard]] Status set_variable(std::string_view name, std::span<const std::byte> value);
  [[nodiscard]] Status set_topology();
  [[nodiscard]] Status set_ops(const Options& options);

  std::unique_ptr<bpf_object, CloseObject> object_;
  std::unique_ptr<bpf_link, DestroyLink> link_;
};

}  // namespace ktstr::bpf
