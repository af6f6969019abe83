-- raise-calls: adds to what is left of a project's day what its limit has more than the highest limit known of this day. Sent twice, or by another librarian of the same limit, it adds once.
-- `shards`: quota and status of each shard of the project.
--@keys project shards...
--@answers number: how many calls were added
local limit, day = tonumber(ARGV[1]), ARGV[2]
local known = redis.call('HMGET', project, 'rpd', 'rpd_day', 'rpd_last')
local highest = tonumber(known[1])
-- A limit that was lowered stays the highest of its day: calls beyond the new one may have been made.
if highest and known[2] ~= day then highest = tonumber(known[3]) or highest end
local more = highest and math.max(0, limit - highest) or 0
redis.call('HSET', project, 'rpd', math.max(limit, highest or 0), 'rpd_day', day, 'rpd_last', limit)
if more == 0 then return 0 end
for i = 1, #shards, 2 do
  local left = redis.call('TYPE', shards[i]).ok == 'string' and string.match(redis.call('GET', shards[i]), '^%d+$')
  if left then -- a missing key means a full day
    redis.call('SET', shards[i], string.format('%.0f', left + more), 'KEEPTTL')
    redis.call('SET', shards[i + 1], 'active', 'KEEPTTL')
  end
end
return more
