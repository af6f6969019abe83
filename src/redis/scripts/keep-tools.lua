-- keep-tools: stores the results of a turn's tools if this worker still has the job.
--@keys turns lock
--@answers number: 1, or 0 if the lock is lost
local token, worker, field, json = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
--@include lock
if not has_job(lock, token, worker) then return 0 end
redis.call('HSET', turns, field, json)
return 1
