// kernel-types [--fetch]: prints the path of the default kernel's BTF, for the build of BPF objects. With
// --fetch it fetches a kernel first unless a fitting one is cached, which runs beside the rest of a build.
#include <cstdio>
#include <string_view>

#include "engine/kernels/kernel_store.h"

namespace {

ktstr::Status print_btf_path(bool fetch) {
  const auto store = KTSTR_TRY(ktstr::engine::KernelStore::open());
  if (fetch) KTSTR_TRY(store.fetch({}));
  const auto kernel = KTSTR_TRY(store.resolve(std::nullopt));
  std::printf("%s\n", kernel.btf.c_str());
  return ktstr::ok();
}

}  // namespace

int main(int argc, char** argv) {
  const bool fetch = argc == 2 && argv[1] == std::string_view("--fetch");
  if (argc > 1 && !fetch) return 2;
  const auto printed = print_btf_path(fetch);
  if (printed) return 0;
  std::fprintf(stderr, "%s: %s\n", fetch ? "no kernel" : "BPF objects are built with a cached kernel's types",
               printed.error().message.c_str());
  return 1;
}
