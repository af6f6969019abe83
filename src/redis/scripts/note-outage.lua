-- note-outage: counts a failure of the provider for its model and for the job. A failure may weigh as much as several; `most` in
-- a row stop the model.
--@keys turns outage outage_row cooldown
--@answers numbers: the job's failures since its last stored reply, this one not counted, and for how long, ms
local fresh, weight, most, probe_ms, silent_ms = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4], ARGV[5]
--@include clock
--@include outage
--@include once
local now = clock()
local function answer()
  local known = redis.call('HMGET', turns, 'unavailable', 'unavailable_since')
  return { (tonumber(known[1]) or 1) - 1, math.max(0, now - (tonumber(known[2]) or now)) }
end
if has_run_last(turns, 'unavailable_call', fresh) then return answer() end
begin_row(outage, outage_row, fresh)
if silent_ms ~= '' then note_silence(outage_row, now - silent_ms) end
local replies = 0
for _, field in ipairs(redis.call('HKEYS', turns)) do
  if string.sub(field, 1, 2) == 'r:' then replies = replies + 1 end
end
local before = redis.call('HGET', turns, 'unavailable_replies')
if before and tonumber(before) ~= replies then -- it was served in between: this is another outage
  redis.call('HDEL', turns, 'unavailable', 'unavailable_since')
end
redis.call('HSET', turns, 'unavailable_replies', replies)
redis.call('HSETNX', turns, 'unavailable_since', string.format('%.0f', now))
redis.call('HINCRBY', turns, 'unavailable', 1)
if redis.call('INCRBY', outage, weight) >= most then redis.call('SET', cooldown, 'outage', 'PX', probe_ms, 'NX') end
return answer()
