-- answer-listed-task: answers a task of the second version of the old programs once: its finding in their form under an alias, the alias in the list of its memory shard, and the state in the task. One that an old worker has completed stays as it is.
--@keys finding aliases findings task listed
--@answers told | known | elsewhere
local job, alias, of, task_id, worker, at, content = unpack(cjson.decode(ARGV[1]))
if redis.call('HEXISTS', listed, job) == 0 then return 'known' end
local function is_free_or(kind, key)
  local holds = redis.call('TYPE', key).ok
  return holds == 'none' or holds == kind
end
local has_task = redis.call('TYPE', task).ok == 'hash'
redis.call('HDEL', listed, job)
if has_task and redis.call('HGET', task, 'status') == 'completed' and redis.call('HGET', task, 'finding_id') ~= alias then return 'elsewhere' end
local is_new = redis.call('EXISTS', finding) == 0
redis.call('HSET', aliases, alias, of)
if is_free_or('hash', finding) then
  redis.call('HSET', finding, 'task_id', task_id, 'worker_id', worker, 'timestamp', at, 'content', content)
end
if is_new and is_free_or('list', findings) then redis.call('RPUSH', findings, alias) end
if has_task then
  redis.call('HSET', task, 'status', 'completed', 'finding_id', alias, 'completed_at', at)
  redis.call('HDEL', task, 'error')
end
return 'told'
