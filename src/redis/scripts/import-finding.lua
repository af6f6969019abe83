-- import-finding: stores one exported finding unchanged, with indexes, counts and event, if its id is free.
--@keys once finding kept index answers condensed retracted context_active session events counters adopted by_session by_shard [by_batch]
--@answers imported | known
--@include context
--@include clock
--@include arrival
--@include once
local id, stored_at, tokens, session_name, batch, topics, place, note, is_new, call, shard, lacked = unpack(cjson.decode(ARGV[1]))
local text, condensed_text = ARGV[2], ARGV[3]
local FIRST_FIELD = 4 -- of a hash: names and values alternate, and `text` is empty

if redis.call('SISMEMBER', once, call) == 1 then return 'imported' end
if redis.call('EXISTS', finding) == 1 or redis.call('HEXISTS', retracted, id) == 1 then return 'known' end
has_run(once, call)

local original = place == 'condensed' and kept or finding
if #ARGV >= FIRST_FIELD then
  redis.call('DEL', original)
  for i = FIRST_FIELD, #ARGV, 2 do redis.call('HSET', original, ARGV[i], ARGV[i + 1]) end
else
  redis.call('SET', original, text)
end
if note ~= '' then redis.call('HSET', retracted, id, note) end
if lacked ~= '' then redis.call('HSET', adopted, id, lacked) end
redis.call('HINCRBY', counters, 'imported', 1)
if place == 'answer' then
  redis.call('ZADD', answers, stored_at, id)
  return 'imported'
end
if by_batch then redis.call('ZADD', by_batch, stored_at, id) end
if place == 'condensed' then
  redis.call('SET', finding, condensed_text)
  redis.call('ZADD', condensed, stored_at, id)
  return 'imported'
end
if shard ~= '' then redis.call('ZADD', by_shard, stored_at, id) end
if session_name ~= '' then redis.call('ZADD', by_session, stored_at, id) end
if place ~= 'live' then return 'imported' end
redis.call('ZADD', index, stored_at, id)
count_tokens(context_active, tokens)
note_arrival(index, id, stored_at, clock())
if is_new == '1' then redis.call('HINCRBY', session, 'findings', 1) end
redis.call('XADD', events, 'MAXLEN', '~', 10000, '*', 'finding', id, 'session', session_name, 'batch', batch, 'topics', topics)
return 'imported'
