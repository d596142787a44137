// scx_kconfig: loads a scheduler that reads the kernel's options, and keeps it until it is ended.
#include <bpf/libbpf.h>
#include <unistd.h>

#include <cstddef>
#include <cstdio>

extern "C" const std::byte scx_ktstr_object_begin[], scx_ktstr_object_end[];

namespace {

int fail(const char* what) {
  std::fprintf(stderr, "scx_kconfig: %s\n", what);
  return 1;
}

}  // namespace

int main() {
  LIBBPF_OPTS(bpf_object_open_opts, options, .object_name = "kconfig");  // maps are called kconfig.bss ...
  bpf_object* object =
      bpf_object__open_mem(scx_ktstr_object_begin,
                           static_cast<std::size_t>(scx_ktstr_object_end - scx_ktstr_object_begin), &options);
  if (!object) return fail("could not open its object");
  if (bpf_object__load(object) != 0) return fail("could not load");
  bpf_link* link = bpf_map__attach_struct_ops(bpf_object__find_map_by_name(object, "kconfig_ops"));
  if (!link) return fail("could not attach");
  for (;;) ::pause();
}
