#include "engine/schedulers/library_search.h"

#include <cstdlib>
#include <string_view>

namespace ktstr::engine {
namespace {

namespace fs = std::filesystem;

constexpr const char* kCacheFile = "/etc/ld.so.cache";
constexpr const char* kTrusted[] = {
    "/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu", "/lib64", "/usr/lib64", "/lib", "/usr/lib"};

void replace_all(std::string& text, std::string_view what, std::string_view with) {
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size()))
    text.replace(at, what.size(), with);
}

/// Dynamic string tokens, ld.so(8).
fs::path expand(std::string directory, const fs::path& object) {
  const auto origin = object.parent_path().string();
  for (const auto* spelling : {"${ORIGIN}", "$ORIGIN"}) replace_all(directory, spelling, origin);
  for (const auto* spelling : {"${LIB}", "$LIB"}) replace_all(directory, spelling, "lib/x86_64-linux-gnu");
  for (const auto* spelling : {"${PLATFORM}", "$PLATFORM"}) replace_all(directory, spelling, "x86_64");
  return directory;
}

void append(std::vector<fs::path>& directories, const std::vector<std::string>& list,
            const fs::path& object) {
  for (const auto& directory : list) directories.push_back(expand(directory, object));
}

/// The rpaths of the object and of those above it.
void append_rpaths(std::vector<fs::path>& directories, const std::vector<LoadedObject>& objects,
                   std::size_t needer) {
  if (!objects[needer].dynamic.runpath.empty()) return;
  for (std::optional<std::size_t> at = needer; at; at = objects[*at].parent)
    append(directories, objects[*at].dynamic.rpath, objects[*at].path);
}

/// The file, when it is a library for this machine.
std::optional<fs::path> usable(const fs::path& file, std::uint16_t machine) {
  std::error_code error;
  if (!fs::is_regular_file(file, error)) return std::nullopt;
  const auto dynamic = read_dynamic_section(file);
  if (!dynamic || dynamic->machine != machine) return std::nullopt;
  auto canonical = fs::canonical(file, error);
  if (error) return std::nullopt;
  return canonical;
}

}  // namespace

Result<LibraryPlaces> LibraryPlaces::of_this_host() {
  LibraryPlaces places{
      .library_path = {}, .cache = KTSTR_TRY(LibraryCache::load(kCacheFile)), .directories = {}};
  const char* variable = std::getenv("LD_LIBRARY_PATH");
  for (std::string_view rest = variable ? variable : ""; !rest.empty();) {
    const auto end = rest.find(':');
    if (end != 0) places.library_path.emplace_back(rest.substr(0, end));
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  }
  places.directories.assign(std::begin(kTrusted), std::end(kTrusted));
  return places;
}

std::optional<fs::path> find_library(const std::string& soname, const std::vector<LoadedObject>& objects,
                                     std::size_t needer, const LibraryPlaces& places) {
  const auto& object = objects[needer];
  const auto machine = object.dynamic.machine;
  if (soname.find('/') != std::string::npos) return usable(soname, machine);
  std::vector<fs::path> candidates;
  std::vector<fs::path> directories;
  append_rpaths(directories, objects, needer);
  directories.insert(directories.end(), places.library_path.begin(), places.library_path.end());
  append(directories, object.dynamic.runpath, object.path);
  for (const auto& directory : directories) candidates.push_back(directory / soname);
  for (const auto& cached : places.cache.find(soname)) candidates.push_back(cached);
  for (const auto& directory : places.directories) candidates.push_back(directory / soname);
  for (const auto& candidate : candidates)
    if (auto found = usable(candidate, machine)) return found;
  return std::nullopt;
}

}  // namespace ktstr::engine
