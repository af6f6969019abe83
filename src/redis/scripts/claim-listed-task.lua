-- claim-listed-task: takes a task of the second version of the old programs from the list of its type. Who removes its id from the list has the task, for good. What is taken is noted until it is answered.
--@keys queue task listed
--@answers claimed | elsewhere
local id, mark, at, job, entry = unpack(cjson.decode(ARGV[1]))
local has_hash = redis.call('TYPE', task).ok == 'hash'
local is_mine = has_hash and redis.call('HGET', task, 'worker_id') == mark -- by an earlier run of the same job
if not is_mine then
  if not has_hash or redis.call('TYPE', queue).ok ~= 'list' or redis.call('LREM', queue, 1, id) == 0 then return 'elsewhere' end
end
redis.call('HSET', task, 'status', 'in_progress', 'worker_id', mark, 'claimed_at', at)
redis.call('HSET', listed, job, entry)
return 'claimed'
