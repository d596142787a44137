#include "engine/schedulers/program_search.h"

#include <unistd.h>

#include <cstdlib>
#include <string_view>

#include "engine/base/nearest.h"
#include "engine/schedulers/dynamic_section.h"

namespace ktstr::engine {
namespace {

namespace fs = std::filesystem;

bool is_executable_file(const fs::path& path) {
  std::error_code error;
  return fs::is_regular_file(path, error) && ::access(path.c_str(), X_OK) == 0;
}

/// Names of the programs in a directory; none when it can't be listed.
std::vector<std::string> programs_in(const fs::path& directory) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator entry(directory, error), end; !error && entry != end; entry.increment(error))
    if (is_executable_file(entry->path())) names.push_back(entry->path().filename().string());
  return names;
}

/// " (did you mean "x"?)" among the programs of `directories`.
std::string nearest_program(const std::string& name, const std::vector<fs::path>& directories) {
  std::vector<std::string> names;
  for (const auto& directory : directories)
    for (auto& program : programs_in(directory)) names.push_back(std::move(program));
  const std::vector<std::string_view> views(names.begin(), names.end());
  const auto nearest = nearest_name(name, views);
  return nearest ? " (did you mean \"" + std::string(*nearest) + "\"?)" : "";
}

Result<fs::path> checked(const fs::path& path) {
  std::error_code error;
  if (fs::is_directory(path, error)) return invalid_argument(path.string() + " is a directory");
  if (::access(path.c_str(), X_OK) != 0) return invalid_argument(path.string() + " may not be executed");
  if (auto dynamic = read_dynamic_section(path); !dynamic) return Error(dynamic.error());
  auto canonical = fs::canonical(path, error);
  if (error) return system_error(path.string(), error.value());
  return canonical;
}

Result<fs::path> find_by_path(const fs::path& given, const ProgramPlaces& places) {
  const auto path = places.base / given;  // an absolute path stays as it is
  std::error_code error;
  if (fs::exists(path, error)) return checked(path);
  return Error{ErrorCode::kNotFound, "there is no program " + path.lexically_normal().string() +
                                         nearest_program(path.filename().string(), {path.parent_path()})};
}

}  // namespace

ProgramPlaces ProgramPlaces::of_script(const fs::path& script) {
  std::error_code error;
  const auto folder = fs::absolute(script, error).parent_path();
  ProgramPlaces places{.base = folder, .directories = {folder}};
  if (const auto self = fs::read_symlink("/proc/self/exe", error); !error)
    places.directories.push_back(self.parent_path());
  const char* variable = std::getenv("PATH");
  for (const auto& directory : split_path(variable ? variable : ""))
    places.directories.emplace_back(directory);
  return places;
}

Result<fs::path> find_program(const std::string& name, const ProgramPlaces& places) {
  if (name.find('/') != std::string::npos) return find_by_path(name, places);
  for (const auto& directory : places.directories)
    if (is_executable_file(directory / name)) return checked(directory / name);
  // One that is there but can't be used says why.
  std::error_code error;
  for (const auto& directory : places.directories)
    if (fs::exists(directory / name, error)) return checked(directory / name);
  return Error{ErrorCode::kNotFound, "there is no program \"" + name +
                                         "\" beside the scenario, beside ktstr or on PATH" +
                                         nearest_program(name, places.directories)};
}

}  // namespace ktstr::engine
