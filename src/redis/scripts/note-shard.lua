-- note-shard: records that a shard's call failed, and closes the shard for a time that doubles with each failure in a row.
--@keys state counters
--@answers number: that time, ms
local reason, message, first_ms, longest_ms = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
--@include shard-room
local now = clock()
local failures = redis.call('HINCRBY', state, 'failures', 1)
local wait = math.floor(math.min(first_ms * 2 ^ math.min(failures - 1, 20), longest_ms))
redis.call('HSET', state, 'last_error', message, 'last_error_at', now, 'closed_until', now + wait, 'closed_reason', reason)
redis.call('HINCRBY', counters, 'shard_failures', 1)
return wait
