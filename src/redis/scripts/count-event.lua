-- count-event: counts an event for the status, once for each call.
--@keys counters once
--@answers number: 1, or 0 if this call has counted before
local counter, count, call = ARGV[1], ARGV[2], ARGV[3]
--@include once
if has_run(once, call) then return 0 end
redis.pcall('HINCRBY', counters, counter, count) -- a damaged counter must not stop a halt
return 1
