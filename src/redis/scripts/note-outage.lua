-- note-outage: counts a failure of the provider for its model and for the job. A failure may weigh as much as several; `most` in
-- a row stop the model.
--@keys turns outage outage_row cooldown
--@answers numbers: the job's failures since its last stored reply, this one not counted, and since when, ms
local now, fresh, weight, most, probe_ms, since = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4]), ARGV[5], ARGV[6]
--@include outage
begin_row(outage, outage_row, fresh)
note_silence(outage_row, since)
local replies = 0
for _, field in ipairs(redis.call('HKEYS', turns)) do
  if string.sub(field, 1, 2) == 'r:' then replies = replies + 1 end
end
local before = redis.call('HGET', turns, 'unavailable_replies')
if before and tonumber(before) ~= replies then -- it was served in between: this is another outage
  redis.call('HDEL', turns, 'unavailable', 'unavailable_since')
end
redis.call('HSET', turns, 'unavailable_replies', replies)
redis.call('HSETNX', turns, 'unavailable_since', now)
local failures = redis.call('HINCRBY', turns, 'unavailable', 1)
if redis.call('INCRBY', outage, weight) >= most then redis.call('SET', cooldown, 'outage', 'PX', probe_ms, 'NX') end
return { failures - 1, tonumber(redis.call('HGET', turns, 'unavailable_since')) }
