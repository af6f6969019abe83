-- note-shard: records that a shard's call failed, and closes the shard for a time that doubles with each failure in a row.
--@keys state counters once
--@answers number: that time, ms
local reason, message, first_ms, longest_ms, call = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4]), ARGV[5]
--@include clock
--@include shard-room
--@include once
local now = clock()
local again = has_run(once, call)
local failures = again and tonumber(redis.call('HGET', state, 'failures')) or redis.call('HINCRBY', state, 'failures', 1)
local wait = math.floor(math.min(first_ms * 2 ^ math.min(failures - 1, 20), longest_ms))
if again then return wait end
redis.call('HSET', state, 'last_error', message, 'last_error_at', now, 'closed_until', now + wait, 'closed_reason', reason)
redis.call('HINCRBY', counters, 'shard_failures', 1)
return wait
