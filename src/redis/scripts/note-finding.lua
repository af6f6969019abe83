-- note-finding: records a finding that ends no job, once, with index, counts, events and announcement.
--@keys finding index by_session context_active session events
--@answers recorded | already
--@include context
local id, stored_at, tokens, session_name, channel = unpack(cjson.decode(ARGV[1]))
if not redis.call('SET', finding, ARGV[2], 'NX') then return 'already' end
redis.call('ZADD', index, stored_at, id)
redis.call('ZADD', by_session, stored_at, id)
count_tokens(context_active, tokens)
if redis.call('HGET', session, 'name') == session_name then redis.call('HINCRBY', session, 'findings', 1) end
redis.call('XADD', events, 'MAXLEN', '~', 10000, '*', 'finding', id, 'session', session_name, 'batch', '', 'topics', '')
redis.call('PUBLISH', channel, id)
return 'recorded'
