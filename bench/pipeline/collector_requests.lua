-- SPDX-License-Identifier: Apache-2.0
-- wrk's requests to the collector: batches of CALLS tracking calls (environment; 1: single requests), as @segment/analytics-node writes them.
local calls = tonumber(os.getenv("CALLS"))
local prepared, at = {}, 0

local function call(body, i)
  return string.format('{"timestamp":"2026-11-21T19:39:03.340Z","integrations":{},"event":"Product Viewed","type":"track","properties":{'
    .. '"product_id":"507f1f77bcf86cd7%06d","sku":"G-32","category":"Games","name":"Monopoly: 3rd Edition","brand":"Hasbro","variant":"200 pieces",'
    .. '"price":18.99,"quantity":1,"coupon":"MAYDEALS","currency":"usd","position":3,"value":18.99,"url":"https://www.example.com/product/path"},'
    .. '"context":{"library":{"name":"@segment/analytics-node","version":"3.1.0"}},"userId":"u-%d",'
    .. '"messageId":"node-next-1795289943341-%06d-316a-411a-a3c9-%04d","_metadata":{"nodeVersion":"v20.20.2","jsRuntime":"node"}}',
    i % 1000, (body * 7919 + i * 104729) % 100000, body, i)
end

function init()
  local headers = { ["Content-Type"] = "application/json", ["Authorization"] = "Basic VEVTVF9XUklURV9LRVk6" }
  for body = 1, 64 do
    local list = {}
    for i = 1, calls do list[i] = call(body, i) end
    local text = list[1]
    if calls > 1 then text = '{"batch":[' .. table.concat(list, ",") .. '],"writeKey":"TEST_WRITE_KEY","sentAt":"2026-11-21T19:39:05.372Z"}' end
    prepared[body] = wrk.format("POST", calls > 1 and "/v1/batch" or "/v1/track", headers, text)
  end
end

function request()
  at = at % #prepared + 1
  return prepared[at]
end
