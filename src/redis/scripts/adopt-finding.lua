-- adopt-finding: adds a finding that another program stored to index, counts and event stream, once.
--@keys finding index answers retracted condensed context_active session events counters by_session [by_batch]
--@answers adopted | answer | known | gone
--@include context
local id, stored_at, tokens, session_name, batch, topics, is_answer, is_new = unpack(cjson.decode(ARGV[1]))
if redis.call('ZSCORE', index, id) or redis.call('ZSCORE', answers, id) or redis.call('ZSCORE', condensed, id)
  or redis.call('HEXISTS', retracted, id) == 1 then
  return 'known'
end
if redis.call('EXISTS', finding) == 0 then return 'gone' end
if is_answer == '1' then
  redis.call('ZADD', answers, stored_at, id)
  return 'answer'
end
redis.call('ZADD', index, stored_at, id)
if session_name ~= '' then redis.call('ZADD', by_session, stored_at, id) end
if by_batch then redis.call('ZADD', by_batch, stored_at, id) end
count_tokens(context_active, tokens)
if is_new == '1' then redis.call('HINCRBY', session, 'findings', 1) end
redis.call('HINCRBY', counters, 'adopted', 1)
redis.call('XADD', events, 'MAXLEN', '~', 10000, '*', 'finding', id, 'session', session_name, 'batch', batch, 'topics', topics)
return 'adopted'
