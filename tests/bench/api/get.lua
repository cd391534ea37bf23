-- wrk's script: gets the record of one of the calls of a file of ids at a time, each as likely as any other,
-- and leaves the figures as JSON.
local ids = {}
for id in io.lines(assert(os.getenv("BENCH_IDS"))) do ids[#ids + 1] = id end
local rest = " HTTP/1.1\r\nHost: cc.example\r\nAuthorization: Bearer " .. os.getenv("BENCH_KEY") .. "\r\n\r\n"

function init() math.randomseed(tonumber(os.getenv("BENCH_SEED"))) end

function request() return "GET /v1/calls/" .. ids[math.random(#ids)] .. rest end

function done(summary, latency)
  local errors = summary.errors
  local result = assert(io.open(os.getenv("BENCH_RESULT"), "w"))
  result:write(string.format(
    '{"requests":%d,"seconds":%.6f,"p50_us":%d,"p99_us":%d,"failed":%d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50), latency:percentile(99),
    errors.status + errors.connect + errors.read + errors.write + errors.timeout))
  result:close()
end
