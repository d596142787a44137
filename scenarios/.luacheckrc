-- Scenarios see what the sandbox leaves of Lua, and nothing else.
std = {
  read_globals = {
    "_G", "_VERSION", "assert", "bit", "coroutine", "error", "getmetatable", "ipairs", "math", "next", "pairs", "pcall", "print",
    "rawequal", "rawget", "rawset", "require", "select", "setmetatable", "string", "table", "tonumber", "tostring", "type",
    "unpack", "xpcall",
  },
}
max_line_length = 120
