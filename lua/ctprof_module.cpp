#include "lua/modules.h"

#include <spdlog/spdlog.h>

#include <filesystem>
#include <new>
#include <string>
#include <system_error>

#include "engine/base/mapped_file.h"
#include "engine/base/printable.h"
#include "engine/base/read.h"
#include "engine/ctprof/compare_request.h"
#include "introspect/ctprof/file.h"
#include "lua/lua_sink.h"
#include "lua/registry.h"
#include "lua/state.h"
#include "lua/strict_tables.h"
#include "lua/to_value.h"

namespace ktstr::lua {
namespace {

namespace fs = std::filesystem;
namespace ctprof = introspect::ctprof;
using ctprof::Snapshot;

constexpr std::string_view kSuffix = ".ctprof.zst";
/// A larger capture would not fit a script's memory as tables.
constexpr ctprof::SnapshotLimits kLimits{.json_bytes = 64U << 20, .values = 2'000'000};

/// In the registry: tables that load() gave and the captures they are of; the metatable of the latter.
constexpr char kCaptures = 0;
constexpr char kCaptureType = 0;

void prepare_registry(lua_State* state) {
  make_weak_registry(state, &kCaptures);
  lua_newtable(state);
  lua_pushcfunction(state, [](lua_State* collecting) {
    static_cast<Snapshot*>(lua_touserdata(collecting, 1))->~Snapshot();
    return 0;
  });
  lua_setfield(state, -2, "__gc");
  set_registry(state, &kCaptureType);
}

Result<Snapshot> read_capture(const fs::path& path) {
  if (!path.string().ends_with(kSuffix))
    return Error{
        ErrorCode::kInvalidArgument,
        path.string() + ": a script reads captures only, which are called NAME" + std::string(kSuffix)};
  std::error_code error;
  const auto status = fs::status(path, error);
  if (fs::exists(status) && !fs::is_regular_file(status))
    return Error{ErrorCode::kInvalidArgument, path.string() + ": not a file"};
  const auto file = KTSTR_TRY(MappedFile::open(path));
  const auto bytes = file.bytes();
  std::string note;
  auto snapshot =
      ctprof::parse_snapshot({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, kLimits, &note);
  if (!snapshot) return std::move(snapshot.error()).with_context(path.string());
  if (!note.empty()) spdlog::warn("{}", printable(path.string() + ": " + note));
  return snapshot;
}

/// Remembers that the table on top of the stack is of this capture.
void remember(lua_State* state, Snapshot&& snapshot) {
  auto* kept = lua_newuserdata(state, sizeof(Snapshot));
  new (kept) Snapshot(std::move(snapshot));
  push_registry(state, &kCaptureType);
  lua_setmetatable(state, -2);
  set_for_top(state, &kCaptures);
}

/// The capture that the table at `index` is of; nullptr for anything that load() did not give.
const Snapshot* capture_of(lua_State* state, int index) {
  if (lua_type(state, index) != LUA_TTABLE) return nullptr;
  push_for(state, &kCaptures, index);
  const auto* snapshot = static_cast<const Snapshot*>(lua_touserdata(state, -1));
  lua_pop(state, 1);
  return snapshot;
}

/// load(path)
int load(lua_State* state) {
  if (lua_gettop(state) != 1 || lua_type(state, 1) != LUA_TSTRING)
    return raise(state, "ctprof.load takes the path of a capture");
  auto snapshot = read_capture(lua_tostring(state, 1));
  if (!snapshot) return raise(state, "ctprof.load: " + snapshot.error().message);
  LuaSink sink(state);
  write(sink, *snapshot);
  remember(state, std::move(*snapshot));
  return 1;
}

/// The options at `index`, none being the defaults. Raises what is wrong with them.
engine::CompareRequest options_at(lua_State* state, int index) {
  engine::CompareRequest request;
  if (lua_isnoneornil(state, index)) return request;
  Value tree;
  static const Locator kNowhere("");
  auto error = to_value(
      state, index, [](int) -> const Locator& { return kNowhere; }, tree);
  if (!error) error = read(tree, request);
  if (error) raise(state, "ctprof.compare: " + error->text());
  return request;
}

/// compare(before, after, options)
int compare(lua_State* state) {
  if (lua_gettop(state) < 2 || lua_gettop(state) > 3)
    return raise(state, "ctprof.compare takes two captures, and options if any");
  const auto* before = capture_of(state, 1);
  const auto* after = capture_of(state, 2);
  if (!before || !after)
    return raise(state, std::string("ctprof.compare: the ") + (before ? "second" : "first") +
                            " argument is no capture that ctprof.load gave");
  const auto comparison = engine::compare(*before, *after, options_at(state, 3));
  LuaSink sink(state);
  write(sink, comparison);
  return 1;
}

}  // namespace

void push_ctprof_module(lua_State* state) {
  prepare_registry(state);
  lua_newtable(state);
  lua_pushcfunction(state, &load);
  lua_setfield(state, -2, "load");
  lua_pushcfunction(state, &compare);
  lua_setfield(state, -2, "compare");
  refuse_unknown_names(state, "ctprof");
}

}  // namespace ktstr::lua
