#include "engine/schedulers/closure.h"

#include <cstdlib>
#include <set>
#include <string_view>

#include "engine/schedulers/dynamic_section.h"

namespace ktstr::engine {
namespace {

namespace fs = std::filesystem;

/// An object of a program, and who asked for it: its search lists hold for what it needs.
struct LoadedObject {
  std::filesystem::path path;  ///< canonical
  DynamicSection dynamic;
  std::optional<std::size_t> parent;  ///< index of the object that needed it; absent: the program
};

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

/// The library that `objects[needer]` means by `soname`, in the order of ld.so(8): a name with a slash as it
/// is (relative to the working directory); DT_RPATH of the needer and those that needed it, unless it has a
/// DT_RUNPATH; LD_LIBRARY_PATH; its DT_RUNPATH; the cache; the trusted directories. Files of another machine
/// are passed over.
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

constexpr std::size_t kMostLibraries = 1000;

class Resolver {
 public:
  explicit Resolver(const LibraryPlaces& places) : places_(places) {}

  Result<ProgramClosure> run(const fs::path& program) {
    auto dynamic = KTSTR_TRY(read_dynamic_section(program));
    objects_.push_back({program, std::move(dynamic), std::nullopt});
    ProgramClosure closure{.program = program, .interpreter = {}, .libraries = {}};
    if (const auto& interpreter = objects_[0].dynamic.interpreter) {
      closure.interpreter = *interpreter;
      if (!fs::exists(*interpreter))
        return Error{ErrorCode::kNotFound,
                     "needs the dynamic loader " + *interpreter + ", which is not there"};
      resolved_.insert(closure.interpreter->filename().string());  // libraries ask for it too
    }
    for (std::size_t i = 0; i < objects_.size(); ++i) KTSTR_TRY(follow(i, closure));
    return closure;
  }

 private:
  Status follow(std::size_t index, ProgramClosure& closure) {
    const auto needed = objects_[index].dynamic.needed;  // objects_ grows
    for (const auto& soname : needed) {
      if (!resolved_.insert(soname).second) continue;
      auto path = find_library(soname, objects_, index, places_);
      if (!path) return missing(soname, objects_[index]);
      if (closure.libraries.size() == kMostLibraries)
        return Error{ErrorCode::kOutOfRange,
                     "needs more than " + std::to_string(kMostLibraries) + " shared libraries"};
      closure.libraries.push_back({soname, *path});
      auto dynamic = KTSTR_TRY(read_dynamic_section(*path));
      objects_.push_back({*path, std::move(dynamic), index});
    }
    return ok();
  }

  static Error missing(const std::string& soname, const LoadedObject& needer) {
    return {ErrorCode::kNotFound,
            "needs the shared library \"" + soname + "\"" +
                (needer.parent ? " (for " + needer.path.filename().string() + ")" : "") +
                ", which is nowhere"};
  }

  const LibraryPlaces& places_;
  std::vector<LoadedObject> objects_;
  std::set<std::string> resolved_;
};

}  // namespace

Result<LibraryPlaces> LibraryPlaces::of_this_host() {
  LibraryPlaces places{
      .library_path = {}, .cache = KTSTR_TRY(LibraryCache::load(kCacheFile)), .directories = {}};
  const char* variable = std::getenv("LD_LIBRARY_PATH");
  for (const auto& directory : split_path(variable ? variable : ""))
    places.library_path.emplace_back(directory);
  places.directories.assign(std::begin(kTrusted), std::end(kTrusted));
  return places;
}

Result<ProgramClosure> resolve_closure(const fs::path& program, const LibraryPlaces& places) {
  return Resolver(places).run(program);
}

}  // namespace ktstr::engine
