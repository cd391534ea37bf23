-- wrk's script: makes calls, each of another phone to another customer under a key of its own, and leaves
-- the figures as JSON.
local function number(name) return assert(tonumber(os.getenv(name)), name) end

local key, first = assert(os.getenv("CC_KEY")), number("BENCH_FIRST")
local made = 0
local refused = {}
local threads = {}

function setup(thread) table.insert(threads, thread) end

function request()
  local n = first + made
  made = made + 1
  local body = string.format('{"caller":"139%08d","called":"138%08d","bizType":"order","bizId":"order-%d"}', n, n, n)
  return wrk.format("POST", "/v1/calls", {
    ["Host"] = "cc.example", ["Authorization"] = "Bearer " .. key, ["Content-Type"] = "application/json",
    ["Idempotency-Key"] = "bench-" .. n }, body)
end

function response(status)
  if status ~= 202 then wrong = (wrong or 0) + 1 end
end

function done(summary, latency)
  local errors, others = summary.errors, 0
  for _, thread in ipairs(threads) do others = others + (thread:get("wrong") or 0) end
  local result = assert(io.open(os.getenv("BENCH_RESULT"), "w"))
  result:write(string.format(
    '{"requests":%d,"seconds":%.6f,"p50_us":%d,"p99_us":%d,"failed":%d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50), latency:percentile(99),
    others + errors.connect + errors.read + errors.write + errors.timeout))
  result:close()
end
