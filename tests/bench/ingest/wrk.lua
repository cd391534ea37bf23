-- wrk's script: posts one callback over and over and leaves the figures as JSON. Nothing here runs for each
-- request: without a function `request` wrk formats it once.
local body = assert(io.open(os.getenv("BENCH_BODY"), "rb"))
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/xml"
wrk.body = body:read("*a")
body:close()

-- Latencies in microseconds, of which wrk accounts for those that its own waiting hid ("coordinated
-- omission"): one answer that takes long counts for all that its connection could have sent meanwhile.
function done(summary, latency)
  local errors = summary.errors
  local result = assert(io.open(os.getenv("BENCH_RESULT"), "w"))
  result:write(string.format(
    '{"requests":%d,"seconds":%.6f,"p50_us":%d,"p99_us":%d,"max_us":%d,"not_200":%d,"broken":%d,"timeouts":%d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50), latency:percentile(99), latency.max,
    errors.status, errors.connect + errors.read + errors.write, errors.timeout))
  result:close()
end
