-- SPDX-License-Identifier: Apache-2.0
-- wrk's requests to the API: profiles of users drawn at random from the lines of USERS (environment), or PATH again and again. Ends with a line of JSON.
local users, fixed = {}, os.getenv("PATH_ONLY")

function init()
  math.randomseed(tonumber(os.getenv("SEED") or "1"))
  if fixed then
    fixed = wrk.format("GET", fixed)
    return
  end
  for line in io.lines(os.getenv("USERS")) do users[#users + 1] = line end
end

function request()
  return fixed or wrk.format("GET", "/v1/profiles/" .. users[math.random(#users)])
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format('{"requests":%d,"seconds":%f,"bytes":%d,"refused":%d,"failed":%d,"p50_ms":%f,"p99_ms":%f,"p999_ms":%f,"max_ms":%f}\n',
    summary.requests, summary.duration / 1e6, summary.bytes, errors.status, errors.connect + errors.read + errors.write + errors.timeout,
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3, latency:percentile(99.9) / 1e3, latency.max / 1e3))
end
