-- What ngx_module/ does with a callback, with lua-resty-redis: verifies the token and the appId, reads the
-- call id, appends one entry, answers after Redis has. Written to be quick: plain finds, which LuaJIT
-- compiles, rather than patterns; a pool of kept connections.
local redis = require "nginx.redis"
local bit = require "bit"

local find, sub, byte = string.find, string.sub, string.byte
local bor, bxor = bit.bor, bit.bxor

local M = {}
local settings
local tokens = {}
local app_ids = {}

local function lines(path)
  local found = {}
  for line in io.lines(path) do
    if line ~= "" then found[#found + 1] = line end
  end
  return found
end

function M.configure(given)
  settings = given
  tokens = lines(given.token_file)
  for _, id in ipairs(lines(given.app_id_file)) do app_ids[id] = true end
end

local function equal_in_constant_time(a, b)
  if #a ~= #b then return false end
  local different = 0
  for i = 1, #a do different = bor(different, bxor(byte(a, i), byte(b, i))) end
  return different == 0
end

local function token_accepted(token)
  local accepted = false
  for _, candidate in ipairs(tokens) do
    accepted = equal_in_constant_time(token, candidate) or accepted
  end
  return accepted
end

local function element(body, opening, closing)
  local _, before = find(body, opening, 1, true)
  if not before then return nil end
  local after = find(body, closing, before, true)
  return after and sub(body, before + 1, after - 1)
end

local function field(value, bound)
  if not value or value == "" then return "-" end
  return ngx.escape_uri(sub(value, 1, bound))
end

local function stop(status, text)
  ngx.status = status
  ngx.print(text)
end

function M.take()
  local var = ngx.var
  if ngx.req.get_method() ~= "POST" then return stop(405, "refused\n") end
  local uri = var.uri
  local slash = #uri
  while byte(uri, slash) ~= 47 do slash = slash - 1 end
  if not token_accepted(sub(uri, slash + 1)) then return stop(403, "refused\n") end

  ngx.req.read_body()
  local body = ngx.req.get_body_data() or ""
  local app = element(body, "<appId>", "</appId>")
  if app and not app_ids[app] then return stop(403, "refused\n") end
  local call = element(body, "<callId>", "</callId>") -- would choose the partition
  ngx.ctx.call = call

  local envelope = "v1 " .. string.format("%d", ngx.now() * 1000) .. " callback - " ..
    field(var.remote_addr, 64) .. " " .. field(var.args, 32768) .. " " .. field(var.content_type, 256) ..
    "\n" .. body

  local connection = redis:new()
  connection:set_timeout(400)
  local ok = connection:connect(settings.redis)
  if not ok then return stop(503, "not stored\n") end
  local id = connection:xadd(settings.stream, "*", settings.code, envelope)
  if not id then return stop(503, "not stored\n") end
  connection:set_keepalive(60000, 128)

  ngx.header.content_length = #settings.answer
  ngx.print(settings.answer)
end

return M
