-- A client sends a command again after its connection broke: a script may run twice in a row.

-- Whether this call has run before. `once`: a set of calls that expires an hour after the last one, if its owner does not delete it.
local function has_run(once, call)
  if redis.call('SADD', once, call) == 0 then return true end
  redis.call('EXPIRE', once, 3600)
  return false
end

-- The same for calls of one job, which follow each other. `field` of a hash, which ends with the job, holds the last one.
local function has_run_last(hash, field, call)
  if redis.call('HGET', hash, field) == call then return true end
  redis.call('HSET', hash, field, call)
  return false
end
