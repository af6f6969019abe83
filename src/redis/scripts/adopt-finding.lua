-- adopt-finding: adds a finding that another program stored to index, counts and event stream, once.
--@keys finding index answers retracted condensed context_active session events counters by_session by_shard adopted [by_batch]
--@answers adopted | answer | dated (an older version had adopted it without a time) | known | gone
--@include context
--@include clock
--@include arrival
local id, stored_at, tokens, session_name, batch, topics, is_answer, is_new, shard, facts = unpack(cjson.decode(ARGV[1]))
local place = is_answer == '1' and answers or index
local score = redis.call('ZSCORE', place, id)
local is_undated = score and tonumber(score) == 0 and tonumber(stored_at) ~= 0
if (score and not is_undated) or redis.call('ZSCORE', condensed, id) or redis.call('HEXISTS', retracted, id) == 1 then
  return 'known'
end
if redis.call('EXISTS', finding) == 0 then return 'gone' end
if facts ~= '{}' then redis.call('HSET', adopted, id, facts) end
redis.call('ZADD', place, stored_at, id)
if is_answer == '1' then return 'answer' end
if session_name ~= '' then redis.call('ZADD', by_session, stored_at, id) end
if shard ~= '' then redis.call('ZADD', by_shard, stored_at, id) end
if by_batch then redis.call('ZADD', by_batch, stored_at, id) end
if is_undated then return 'dated' end
count_tokens(context_active, tokens)
note_arrival(index, id, stored_at, clock())
if is_new == '1' then redis.call('HINCRBY', session, 'findings', 1) end
redis.call('HINCRBY', counters, 'adopted', 1)
redis.call('XADD', events, 'MAXLEN', '~', 10000, '*', 'finding', id, 'session', session_name, 'batch', batch, 'topics', topics)
return 'adopted'
