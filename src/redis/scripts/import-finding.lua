-- import-finding: stores one exported finding unchanged, with indexes, counts and event, if its id is free.
--@keys finding kept index answers condensed retracted context_active session events counters by_session [by_batch]
--@answers imported | known
--@include context
local id, stored_at, tokens, session_name, batch, topics, place, note, is_new = unpack(cjson.decode(ARGV[1]))
local text, condensed_text = ARGV[2], ARGV[3]
local FIRST_FIELD = 4 -- of a hash: names and values alternate, and `text` is empty

if redis.call('EXISTS', finding) == 1 or redis.call('HEXISTS', retracted, id) == 1 then return 'known' end

local original = place == 'condensed' and kept or finding
if #ARGV >= FIRST_FIELD then
  redis.call('DEL', original)
  for i = FIRST_FIELD, #ARGV, 2 do redis.call('HSET', original, ARGV[i], ARGV[i + 1]) end
else
  redis.call('SET', original, text)
end
if note ~= '' then redis.call('HSET', retracted, id, note) end
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
if session_name ~= '' then redis.call('ZADD', by_session, stored_at, id) end
if place ~= 'live' then return 'imported' end
redis.call('ZADD', index, stored_at, id)
count_tokens(context_active, tokens)
if is_new == '1' then redis.call('HINCRBY', session, 'findings', 1) end
redis.call('XADD', events, 'MAXLEN', '~', 10000, '*', 'finding', id, 'session', session_name, 'batch', batch, 'topics', topics)
return 'imported'
