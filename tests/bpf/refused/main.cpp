// refused_scheduler unchecked|endless: loads a scheduler that the verifier refuses, as loaders do.
#include <bpf/libbpf.h>

#include <cstdio>
#include <cstring>

extern "C" {
extern const char unchecked_object[], unchecked_object_end[];
extern const char endless_object[], endless_object_end[];
}

int main(int argc, char** argv) {
  const bool endless = argc > 1 && std::strcmp(argv[1], "endless") == 0;
  const char* begin = endless ? endless_object : unchecked_object;
  const char* end = endless ? endless_object_end : unchecked_object_end;
  auto* object = bpf_object__open_mem(begin, static_cast<size_t>(end - begin), nullptr);
  if (!object || bpf_object__load(object) != 0) {
    std::fprintf(stderr, "could not load the scheduler\n");
    return 1;
  }
  std::fprintf(stderr, "the verifier took it\n");
  return 0;
}
