// Shared objects made by a small writer of ELF files: only what the dynamic loader reads is in them.
#include "engine/schedulers/closure.h"

#include <doctest/doctest.h>
#include <elf.h>

#include <cstring>

#include "engine/schedulers/dynamic_section.h"
#include "tests/temporary_directory.h"

using namespace ktstr;
using namespace ktstr::engine;

namespace {

struct Object {
  std::vector<std::string> needed{};
  std::string rpath{};
  std::string runpath{};
  std::string interpreter{};
  std::uint16_t machine = EM_X86_64;
};

/// Header, one program header, strings, dynamic section, three section headers.
std::string elf(const Object& object) {
  std::string strings(1, '\0');
  std::vector<Elf64_Dyn> entries;
  const auto add = [&](Elf64_Sxword tag, const std::string& text) {
    entries.push_back({tag, {strings.size()}});
    strings += text + '\0';
  };
  for (const auto& soname : object.needed) add(DT_NEEDED, soname);
  if (!object.rpath.empty()) add(DT_RPATH, object.rpath);
  if (!object.runpath.empty()) add(DT_RUNPATH, object.runpath);
  entries.push_back({DT_NULL, {0}});
  const auto interpreter_at = strings.size();
  strings += object.interpreter + '\0';
  strings.resize((strings.size() + 7) / 8 * 8);

  const auto strings_at = sizeof(Elf64_Ehdr) + sizeof(Elf64_Phdr);
  const auto dynamic_at = strings_at + strings.size();
  const auto dynamic_size = entries.size() * sizeof(Elf64_Dyn);
  Elf64_Ehdr header{};
  std::memcpy(header.e_ident, ELFMAG, SELFMAG);
  header.e_ident[EI_CLASS] = ELFCLASS64;
  header.e_ident[EI_DATA] = ELFDATA2LSB;
  header.e_ident[EI_VERSION] = EV_CURRENT;
  header.e_type = ET_DYN;
  header.e_machine = object.machine;
  header.e_version = EV_CURRENT;
  header.e_ehsize = sizeof(Elf64_Ehdr);
  header.e_phoff = sizeof(Elf64_Ehdr);
  header.e_phentsize = sizeof(Elf64_Phdr);
  header.e_phnum = object.interpreter.empty() ? 0 : 1;
  header.e_shoff = dynamic_at + dynamic_size;
  header.e_shentsize = sizeof(Elf64_Shdr);
  header.e_shnum = 3;
  Elf64_Phdr program{};
  program.p_type = PT_INTERP;
  program.p_offset = strings_at + interpreter_at;
  program.p_filesz = object.interpreter.size() + 1;
  Elf64_Shdr sections[3]{};
  sections[1].sh_type = SHT_STRTAB;
  sections[1].sh_offset = strings_at;
  sections[1].sh_size = strings.size();
  sections[2].sh_type = SHT_DYNAMIC;
  sections[2].sh_offset = dynamic_at;
  sections[2].sh_size = dynamic_size;
  sections[2].sh_entsize = sizeof(Elf64_Dyn);
  sections[2].sh_link = 1;
  std::string file;
  const auto append = [&](const void* data, std::size_t size) {
    file.append(static_cast<const char*>(data), size);
  };
  append(&header, sizeof header);
  append(&program, sizeof program);
  file += strings;
  append(entries.data(), dynamic_size);
  append(sections, sizeof sections);
  return file;
}

struct Host {
  test::TemporaryDirectory directory;
  LibraryPlaces places;

  Host() { places.directories = {path("trusted")}; }
  [[nodiscard]] std::filesystem::path path(const std::string& name) const { return directory.path() / name; }
  std::filesystem::path write(const std::string& name, const Object& object) const {
    return std::filesystem::canonical(directory.write(name, elf(object)));
  }
  [[nodiscard]] std::vector<std::string> libraries(const std::filesystem::path& program) const {
    const auto closure = resolve_closure(program, places);
    REQUIRE_MESSAGE(closure.has_value(), closure.error().message);
    std::vector<std::string> found;
    for (const auto& library : closure->libraries)
      found.push_back(library.soname + " " +
                      library.path.lexically_relative(std::filesystem::canonical(path(""))).string());
    return found;
  }
  [[nodiscard]] std::string error(const std::filesystem::path& program) const {
    const auto closure = resolve_closure(program, places);
    return closure ? "ok" : closure.error().message;
  }
};

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("a static program needs nothing") {
  Host host;
  const auto closure = resolve_closure(host.write("app", {}), host.places);
  REQUIRE(closure);
  CHECK_FALSE(closure->interpreter);
  CHECK(closure->libraries.empty());
}

TEST_CASE("libraries of libraries are found breadth first, each once, and cycles end") {
  Host host;
  host.write("trusted/liba.so", {.needed = {"libc.so"}});
  host.write("trusted/libb.so", {.needed = {"liba.so", "libc.so"}});
  host.write("trusted/libc.so", {.needed = {"libb.so", "libd.so"}});
  host.write("trusted/libd.so", {});
  const auto app = host.write("app", {.needed = {"liba.so", "libb.so"}});
  CHECK(host.libraries(app) == Names{"liba.so trusted/liba.so", "libb.so trusted/libb.so",
                                     "libc.so trusted/libc.so", "libd.so trusted/libd.so"});
}

TEST_CASE("a runpath holds for the object's own needs only, an rpath for those below it too") {
  Host host;
  host.write("lib/liba.so", {.needed = {"libb.so"}});
  host.write("lib/libb.so", {});
  CHECK(host.libraries(host.write("app", {.needed = {"liba.so"}, .rpath = "$ORIGIN/lib"})) ==
        Names{"liba.so lib/liba.so", "libb.so lib/libb.so"});
  CHECK(host.error(host.write("app2", {.needed = {"liba.so"}, .runpath = "${ORIGIN}/lib"})) ==
        "needs the shared library \"libb.so\" (for liba.so), which is nowhere");
}

TEST_CASE("the places are looked through in the loader's order") {
  Host host;
  for (const auto* folder : {"rpath", "variable", "runpath", "trusted"})
    host.write(std::string(folder) + "/liba.so", {});
  host.places.library_path = {host.path("variable")};
  const auto rpath = host.path("rpath").string(), runpath = host.path("runpath").string();
  CHECK(host.libraries(host.write("a1", {.needed = {"liba.so"}, .rpath = rpath})) ==
        Names{"liba.so rpath/liba.so"});
  CHECK(host.libraries(host.write("a2", {.needed = {"liba.so"}, .rpath = rpath, .runpath = runpath})) ==
        Names{"liba.so variable/liba.so"});
  host.places.library_path.clear();
  CHECK(host.libraries(host.write("a3", {.needed = {"liba.so"}, .runpath = runpath})) ==
        Names{"liba.so runpath/liba.so"});
  CHECK(host.libraries(host.write("a4", {.needed = {"liba.so"}})) == Names{"liba.so trusted/liba.so"});
}

TEST_CASE("a library of another machine is passed over") {
  Host host;
  host.write("first/liba.so", {.machine = EM_AARCH64});
  host.write("trusted/liba.so", {});
  host.places.library_path = {host.path("first")};
  CHECK(host.libraries(host.write("app", {.needed = {"liba.so"}})) == Names{"liba.so trusted/liba.so"});
}

TEST_CASE("what is missing is named with who asks for it") {
  Host host;
  CHECK(host.error(host.write("app", {.needed = {"libgone.so.1"}})) ==
        "needs the shared library \"libgone.so.1\", which is nowhere");
  CHECK(host.error(host.write("app2", {.interpreter = "/nowhere/ld.so"})) ==
        "needs the dynamic loader /nowhere/ld.so, which is not there");
}

TEST_CASE("files that are no programs are refused") {
  Host host;
  const auto text = host.directory.write("text", "#!/bin/sh\n");
  CHECK(host.error(text) == text.string() + ": not a 64-bit ELF program");
  CHECK(host.error(host.directory.write("empty", "")).ends_with("empty: not a 64-bit ELF program"));
  CHECK(resolve_closure(host.path("gone"), host.places).error().code == ErrorCode::kNotFound);
}

TEST_CASE("damaged files give errors, never a crash") {
  Host host;
  const auto whole = elf({.needed = {"liba.so"}, .rpath = "/x", .interpreter = "/lib/ld.so"});
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const auto cut = read_dynamic_section(host.directory.write("cut", whole.substr(0, size)));
    if (cut) CHECK(cut->needed.size() <= 1);
  }
}

TEST_CASE("this host's own shell is found with the C library") {
  const auto places = LibraryPlaces::of_this_host();
  REQUIRE(places);
  const auto closure = resolve_closure(std::filesystem::canonical("/bin/sh"), *places);
  REQUIRE_MESSAGE(closure.has_value(), closure.error().message);
  REQUIRE(closure->interpreter);
  CHECK(closure->interpreter->filename() == "ld-linux-x86-64.so.2");
  REQUIRE_FALSE(closure->libraries.empty());
  CHECK(closure->libraries[0].soname == "libc.so.6");
}
