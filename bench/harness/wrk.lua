-- Sends the requests of a file (each: its length, a line feed, its bytes) in turn and tells what came of it as one line of JSON.
local requests = {}
local file = assert(io.open(os.getenv("BENCH_REQUESTS"), "rb"))
while true do
  local length = file:read("*n")
  if not length then break end
  file:read(1)
  requests[#requests + 1] = file:read(length)
end
file:close()

local next = 0
request = function()
  next = next % #requests + 1
  return requests[next]
end

-- Looking at each answer costs the generator something, so it is done only where a refusal is a right answer.
local expected = tonumber(os.getenv("BENCH_ALSO_RIGHT") or "")
bad = 0
if expected then
  response = function(status)
    if status >= 300 and status ~= expected then bad = bad + 1 end
  end
end

local thread
setup = function(started) thread = started end

done = function(summary, latency)
  local badStatus = expected and thread:get("bad") or summary.errors.status
  io.write(string.format(
    '\nBENCH {"requests":%d,"seconds":%.6f,"p50Ms":%.3f,"p99Ms":%.3f,"badStatus":%d,"socketErrors":%d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1000, latency:percentile(99) / 1000,
    badStatus, summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout))
end
