#include "engine/schedulers/closure.h"

#include <set>

namespace ktstr::engine {
namespace {

namespace fs = std::filesystem;

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

Result<ProgramClosure> resolve_closure(const fs::path& program, const LibraryPlaces& places) {
  return Resolver(places).run(program);
}

}  // namespace ktstr::engine
