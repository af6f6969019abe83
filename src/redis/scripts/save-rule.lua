-- save-rule: stores a rule, a new one or in place of the one of its name. A new one begins at the given place of the event stream; one that is replaced keeps its place, its counts and what it has fired for.
--@keys rules rule version spend
--@answers saved | same | taken
local a = cjson.decode(ARGV[1]) -- name, replace, cursor, past ('' : none), limit ('' : none)
--@include clock
local record = ARGV[2]
local held = redis.call('HGET', rule, 'record')
if held == record then
  if a.replace == '1' and a.limit ~= '' then redis.call('HSET', spend, 'limit', a.limit) end -- it may have been changed since
  return 'same'
end
if held and a.replace ~= '1' then return 'taken' end
local now = string.format('%.0f', clock())
redis.call('ZADD', rules, 'NX', now, a.name)
local number = redis.call('INCR', version)
redis.call('HSETNX', rule, 'created', now)
redis.call('HSETNX', rule, 'cursor', a.cursor .. '|' .. now)
redis.call('HSET', rule, 'record', record, 'version', number)
redis.call('HDEL', rule, 'problem', 'paused')
if a.past ~= '' then redis.call('HSET', rule, 'past', a.past) end
if a.limit ~= '' then redis.call('HSET', spend, 'limit', a.limit) else redis.call('HDEL', spend, 'limit') end
return 'saved'
