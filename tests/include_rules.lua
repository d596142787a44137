-- Checks every #include "..." of the tree against the arrows of docs/architecture.md.
-- usage: luajit include_rules.lua ROOT

local root = assert(arg[1], "usage: include_rules.lua ROOT")

local function starts_with(text, prefix) return text:sub(1, #prefix) == prefix end

-- A folder and all below it, or one file.
local function prefix_of(name) return name:match("%.h$") and name or name .. "/" end

-- "x -> y, z   what it holds"
local function parse_rule(line)
  local from, rest = line:match("^(%S+)%s+%->%s+(.+)$")
  if not from then return end
  local names = rest:match("^(.-)%s%s") or rest
  if names == "(nothing)" then return { prefix_of(from), {} } end
  if names == "(everything)" then return { prefix_of(from), { "" } } end
  local allowed = {}
  for name in names:gmatch("[^,%s]+") do table.insert(allowed, prefix_of(name)) end
  return { prefix_of(from), allowed }
end

-- The arrows of the document, the longest name first.
local function read_rules()
  local rules, inside = {}, false
  for line in io.lines(root .. "/docs/architecture.md") do
    if starts_with(line, "```") then
      inside = not inside and #rules == 0
    elseif inside then
      local rule = parse_rule(line)
      if rule then table.insert(rules, rule) end
    end
  end
  assert(#rules >= 8, "docs/architecture.md has lost its arrows")
  table.sort(rules, function(a, b) return #a[1] > #b[1] end)
  return rules
end

local rules = read_rules()

local function rule_of(file)
  for _, rule in ipairs(rules) do
    if starts_with(file, rule[1]) then return rule end
  end
end

local function allowed(rule, include)
  if starts_with(include, rule[1]) then return true end
  for _, prefix in ipairs(rule[2]) do
    if starts_with(include, prefix) then return true end
  end
  return false
end

local function exists(path)
  local file = io.open(path)
  if file then file:close() end
  return file ~= nil
end

local folders = "engine introspect vmm bpf lua tests bench"
local listing = assert(io.popen(("cd '%s' && find %s \\( -name '*.h' -o -name '*.cpp' -o -name '*.c' \\) 2>/dev/null | sort"):format(root, folders)))
local files, errors = 0, 0

for file in listing:lines() do
  files = files + 1
  local rule = assert(rule_of(file), file .. ": no rule for its folder")
  local number = 0
  for line in io.lines(root .. "/" .. file) do
    number = number + 1
    local include = line:match('^%s*#%s*include%s+"([^"]+)"')
    local complaint
    if include and not exists(root .. "/" .. include) and not starts_with(include, "generated/") then
      complaint = "not a file of the tree (includes are written from the root)"
    elseif include and not allowed(rule, include) then
      complaint = rule[1] .. " may not include it"
    end
    if complaint then
      errors = errors + 1
      print(('%s:%d: "%s": %s'):format(file, number, include, complaint))
    end
  end
end

assert(files > 0, "no sources found below " .. root)
print(("%d files, %d violations"):format(files, errors))
os.exit(errors == 0 and 0 or 1)
