#include "engine/kernels/sched_ext_support.h"

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <fmt/format.h>

#include <memory>

namespace ktstr::engine {
namespace {

// Without these no scheduler gets further than its init callback.
constexpr const char* kNeededFunctions[] = {"scx_bpf_create_dsq"};

/// Whether the last parameter of function `id` is the `struct bpf_prog_aux *aux` that the verifier passes by
/// itself (KF_IMPLICIT_ARGS, kernel/bpf/verifier.c); resolve_btfids takes it off and moves the full prototype
/// to NAME_impl.
bool has_implicit_argument(const btf* kernel, int id) {
  const btf_type* function = btf__type_by_id(kernel, static_cast<unsigned>(id));
  const btf_type* prototype = function ? btf__type_by_id(kernel, function->type) : nullptr;
  if (!prototype || !btf_is_func_proto(prototype) || btf_vlen(prototype) == 0) return false;
  const btf_param& last = btf_params(prototype)[btf_vlen(prototype) - 1];
  const char* name = btf__name_by_offset(kernel, last.name_off);
  return name && std::string_view(name) == "aux";
}

std::optional<std::string> defect_of(const btf* kernel, const std::string& function) {
  const int id = btf__find_by_name_kind(kernel, function.c_str(), BTF_KIND_FUNC);
  if (id < 0) return fmt::format("its BTF lacks {}", function);
  const bool has_full_form = btf__find_by_name_kind(kernel, (function + "_impl").c_str(), BTF_KIND_FUNC) >= 0;
  if (has_implicit_argument(kernel, id) && !has_full_form)
    return fmt::format("its BTF lacks {}_impl, without which {} can't be called", function, function);
  return std::nullopt;
}

}  // namespace

Result<std::optional<std::string>> find_sched_ext_defect(std::span<const std::byte> bytes) {
  const std::unique_ptr<btf, decltype(&btf__free)> kernel(
      btf__new(bytes.data(), static_cast<unsigned>(bytes.size())), &btf__free);
  if (!kernel) return corrupted("the kernel's BTF can't be parsed");
  for (const char* function : kNeededFunctions)
    if (auto defect = defect_of(kernel.get(), function)) return defect;
  return std::optional<std::string>();
}

}  // namespace ktstr::engine
