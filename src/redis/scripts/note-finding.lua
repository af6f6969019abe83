-- note-finding: records a finding that ends no job, once, with index, counts, events and announcement.
--@keys finding index by_session context_active session events by_shard
--@answers recorded | already
--@include context
--@include clock
--@include arrival
local id, stored_at, tokens, session_name, channel, shard, topics = unpack(cjson.decode(ARGV[1]))
if not redis.call('SET', finding, ARGV[2], 'NX') then
  -- The same text: the client sent it twice because its connection broke.
  if redis.call('TYPE', finding).ok == 'string' and redis.call('GET', finding) == ARGV[2] then return 'recorded' end
  return 'already'
end
redis.call('ZADD', index, stored_at, id)
redis.call('ZADD', by_session, stored_at, id)
if shard ~= '' then redis.call('ZADD', by_shard, stored_at, id) end
count_tokens(context_active, tokens)
note_arrival(index, id, stored_at, clock())
if redis.call('HGET', session, 'name') == session_name then redis.call('HINCRBY', session, 'findings', 1) end
redis.call('XADD', events, 'MAXLEN', '~', 10000, '*', 'finding', id, 'session', session_name, 'batch', '', 'topics', topics)
redis.call('PUBLISH', channel, id)
return 'recorded'
