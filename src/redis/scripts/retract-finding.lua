-- retract-finding: removes a finding from the index and marks it as retracted, if it has not changed since the caller read it.
--@keys finding index retracted context_active events
--@answers retracted | already | changed
--@include context
local id, note, tokens, before, marked = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local earlier = redis.call('HGET', retracted, id)
if earlier == note then return 'retracted' end -- the client sent it twice because its connection broke
if earlier then return 'already' end
local kind = redis.call('TYPE', finding).ok
if kind == 'string' then
  if redis.call('GET', finding) ~= before then return 'changed' end
  redis.call('SET', finding, marked, 'KEEPTTL')
elseif kind == 'hash' then
  redis.call('HSET', finding, 'status', 'retracted', 'retracted', note)
end
redis.call('HSET', retracted, id, note)
if redis.call('ZREM', index, id) == 1 then
  count_tokens(context_active, '-' .. tokens)
end
redis.call('XADD', events, 'MAXLEN', '~', 10000, '*', 'changed', id, 'why', 'retracted')
return 'retracted'
