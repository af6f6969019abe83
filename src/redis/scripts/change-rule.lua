-- change-rule: pauses, resumes or removes a rule. What it has fired for stays: a later rule of its name fires for nothing twice.
--@keys rules rule version activity
--@answers changed | same | none
--@include activity
local a = cjson.decode(ARGV[1]) -- name, to (paused, active, gone), problem ('' : none)
if redis.call('HEXISTS', rule, 'record') == 0 then return 'none' end
if a.to == 'gone' then
  redis.call('ZREM', rules, a.name)
  redis.call('INCR', version)
  redis.call('DEL', rule)
  return 'changed'
end
local is_paused = redis.call('HEXISTS', rule, 'paused') == 1
if is_paused == (a.to == 'paused') then return 'same' end
redis.call('HSET', rule, 'version', redis.call('INCR', version))
if a.to == 'active' then
  redis.call('HDEL', rule, 'paused', 'problem')
  return 'changed'
end
redis.call('HSET', rule, 'paused', '1')
note_activity(activity, 'rule-paused', a.name, a.problem)
if a.problem ~= '' then redis.call('HSET', rule, 'problem', a.problem) end
return 'changed'
