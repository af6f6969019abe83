-- renew-claim: renews the lease of a task that an outside worker holds, and the lock of its job.
--@keys leases lock stalled
--@answers number: when the lease ends, ms; 0: this lease holds the task no more, or is over
local id, token, lease_ms, lock_ms = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4]
--@include clock
local now = clock()
local ends = tonumber(redis.call('ZSCORE', leases, id) or '0')
if redis.call('GET', lock) ~= token or ends <= now then return 0 end
redis.call('SET', lock, token, 'PX', lock_ms)
redis.call('SREM', stalled, id)
redis.call('ZADD', leases, string.format('%.0f', now + lease_ms), id)
return now + lease_ms
