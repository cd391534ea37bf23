-- wrk's script: gets the record of one of the calls at a time, each as likely as any other, and leaves the
-- figures as JSON. Ids are 64 bits long, more than Lua's own numbers hold; LuaJIT has such numbers too.
local function number(name) return assert(tonumber(os.getenv(name)), name) end
-- "12LL" of a text of digits, in two halves that Lua's numbers hold.
local function whole(name)
  local text = assert(os.getenv(name), name)
  return tonumber(text:sub(1, -10)) * 1000000000LL + tonumber(text:sub(-9))
end

local records = number("BENCH_RECORDS")
local base, step = whole("BENCH_BASE"), whole("BENCH_STEP")
local rest = " HTTP/1.1\r\nHost: cc.example\r\nAuthorization: Bearer " .. os.getenv("CC_KEY") .. "\r\n\r\n"

function init()
  math.randomseed(tonumber(os.getenv("BENCH_SEED")))
end

function request()
  local n = math.random(0, records - 1)
  local id = tostring(base + n * step + n % 4194304) -- ends with "LL"
  return "GET /v1/calls/" .. id:sub(1, -3) .. rest
end

function done(summary, latency)
  local errors = summary.errors
  local result = assert(io.open(os.getenv("BENCH_RESULT"), "w"))
  result:write(string.format(
    '{"requests":%d,"seconds":%.6f,"p50_us":%d,"p99_us":%d,"failed":%d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50), latency:percentile(99),
    errors.status + errors.connect + errors.read + errors.write + errors.timeout))
  result:close()
end
