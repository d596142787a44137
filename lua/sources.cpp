#include "lua/sources.h"

#include <algorithm>
#include <system_error>

#include "engine/base/io.h"
#include "engine/base/sha256.h"

namespace ktstr::lua {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kLargestSource = 1 << 20;
constexpr std::size_t kMostSources = 500;
constexpr std::size_t kMostSourceBytes = 16 << 20;

Result<std::string> read_source(const fs::path& file, const std::string& shown) {
  std::error_code error;
  const auto status = fs::status(file, error);
  if (error || !fs::exists(status)) return Error{ErrorCode::kNotFound, shown + ": no such file"};
  if (!fs::is_regular_file(status)) return invalid_argument(shown + ": not a file");
  auto content = read_file(file, kLargestSource);
  if (!content) return Error{ErrorCode::kIo, shown + ": can't be read"};
  if (content->truncated) return invalid_argument(shown + ": a script may have at most 1 MB");
  return std::move(content->text);
}

/// "a.b" as a/b.lua; an empty path for what is no module name.
fs::path module_path(const std::string& name) {
  const auto is_part = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.';
  };
  const bool dots_join =
      !name.empty() && name.front() != '.' && name.back() != '.' && name.find("..") == std::string::npos;
  if (!dots_join || !std::all_of(name.begin(), name.end(), is_part)) return {};
  auto path = name;
  std::replace(path.begin(), path.end(), '.', '/');
  return path + ".lua";
}

bool lies_inside(const fs::path& file, const fs::path& directory) {
  const auto [end, unused] = std::mismatch(directory.begin(), directory.end(), file.begin(), file.end());
  return end == directory.end();
}

}  // namespace

Result<int> ScriptSources::add_script(LuaState& state) {
  return add(state, script_, script_.string());
}

Result<int> ScriptSources::add_module(LuaState& state, const std::string& name) {
  const auto relative = module_path(name);
  if (relative.empty())
    return invalid_argument("require \"" + name +
                            "\": not a module name such as \"helpers\" or \"lib.helpers\"");
  const auto file = script_.parent_path() / relative;
  std::error_code error;
  const auto real = fs::canonical(file, error);
  if (error)
    return Error{ErrorCode::kNotFound,
                 "require \"" + name + "\": no file " + file.string() + " beside the script"};
  const auto directory = fs::canonical(script_.parent_path().empty() ? "." : script_.parent_path(), error);
  if (error || !lies_inside(real, directory))
    return invalid_argument("require \"" + name + "\": " + file.string() +
                            " leads out of the script's directory");
  return add(state, real, file.string());
}

const Locator& ScriptSources::locator(int chunk) {
  auto& source = *sources_[static_cast<std::size_t>(chunk)];
  if (!source.locator) source.locator = std::make_unique<Locator>(source.text);
  return *source.locator;
}

engine::ScriptReport ScriptSources::files() const {
  engine::ScriptReport report{script_.string(), {}, {}};
  for (const auto& source : sources_) {
    auto digest = sha256(source->text);
    if (&source == &sources_.front())
      report.sha256 = std::move(digest);
    else
      report.modules.push_back({source->shown, std::move(digest)});
  }
  return report;
}

Result<int> ScriptSources::add(LuaState& state, const fs::path& file, const std::string& shown) {
  if (sources_.size() >= kMostSources)
    return invalid_argument(shown + ": a script may have at most " + std::to_string(kMostSources) +
                            " modules");
  auto text = KTSTR_TRY(read_source(file, shown));
  bytes_ += text.size();
  if (bytes_ > kMostSourceBytes)
    return invalid_argument(shown + ": a script and its modules may have at most 16 MB");
  sources_.push_back(std::make_unique<Source>(Source{shown, std::move(text), nullptr}));
  return state.add_chunk(shown);
}

}  // namespace ktstr::lua
