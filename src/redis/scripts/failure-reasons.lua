-- failure-reasons: counts the newest failed jobs of one queue by the reason at the beginning of their text.
--@keys failed
--@answers values: reason count reason count …
local counts, order = {}, {}
for _, job in ipairs(redis.call('ZREVRANGE', failed, 0, tonumber(ARGV[2]) - 1)) do
  local text = redis.call('HGET', ARGV[1] .. job, 'failedReason') or ''
  local reason = string.match(text, '^([%l%d-]+):') or 'other'
  if not counts[reason] then
    counts[reason] = 0
    order[#order + 1] = reason
  end
  counts[reason] = counts[reason] + 1
end
local answer = {}
for _, reason in ipairs(order) do
  answer[#answer + 1] = reason
  answer[#answer + 1] = counts[reason]
end
return answer
