-- note-quota: records what a 429 reports: the limit, and how long the whole project must wait.
-- `project`: the keys of a project, as in `lib/shard-room.lua`.
--@keys counters once project...
--@answers day-used-up | cooling | day-begins (by the provider's clock the day before is not over) | clock (none of the days is today)
local a = cjson.decode(ARGV[1])
--@include clock
--@include shard-room
--@include once
local now = clock()
local day = day_at(a.days, now)
if not day then return 'clock' end
local k = project_keys(project, 1, a.shard_count)
if not has_run(once, a.call) then redis.call('HINCRBY', counters, 'shard_429s', 1) end
if a.stated >= 0 and a.stated < a.configured then
  redis.call('HSET', k.project, 'stated:' .. a.scope, string.format('%d|%d|%s', a.stated, now + a.believe_ms, day[1]))
end
local function cool(reason, ms)
  local till = tonumber(redis.call('HGET', k.project, 'cool_until')) or 0
  if now + ms > till then redis.call('HSET', k.project, 'cool_until', now + ms, 'cool_reason', reason) end
end
if a.scope ~= 'day' then
  cool(a.scope == 'tokens' and 'tokens' or 'cooling', a.wait_ms)
  return 'cooling'
end
-- Just after midnight the call may belong to the day before, or the provider's clock may be late: the new day is not marked as used up.
if (a.day ~= '' and a.day ~= day[1]) or now - day[2] < a.young_ms then
  cool('cooling', math.max(1, math.floor(a.young_ms / 5)))
  return 'day-begins'
end
local was_used_up = redis.call('HGET', k.project, 'used_up') == day[1]
redis.call('HSET', k.project, 'day', day[1], 'left', 0, 'used_up', day[1])
write_left(k, 0, day[3])
if not was_used_up then redis.call('HINCRBY', counters, 'shard_days_used_up', 1) end
return 'day-used-up'
