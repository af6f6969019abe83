-- close-peers: ends a task's question with what the task is told, once, if this worker still has the job. Its assist tasks begin no further call.
--@keys turns lock helped
--@answers list: closed TOLD | lock-lost
local token, worker, call, told, job = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
--@include lock
if not has_job(lock, token, worker) then return { 'lock-lost' } end
redis.call('HSETNX', turns, 'p:' .. call .. ':closed', told)
redis.call('ZREM', helped, call .. '|' .. job)
return { 'closed', redis.call('HGET', turns, 'p:' .. call .. ':closed') }
