-- restore-findings: retracts a summary and makes the findings that it replaced live again, in one step.
-- `originals`: for each a finding, its private key and the index of its session.
--@keys summary index condensed retracted context_active events by_shard originals...
--@answers list: restored COUNT | changed | already
--@include context
local a = cjson.decode(ARGV[1]) -- {id, note, tokens, shard, originals: [[id, tokens, has session]...]}
local before, marked = ARGV[2], ARGV[3]

local earlier = redis.call('HGET', retracted, a.id)
if earlier == a.note then -- the client sent it twice because its connection broke
  local live = 0
  for _, original in ipairs(a.originals) do
    if redis.call('ZSCORE', index, original[1]) then live = live + 1 end
  end
  return { 'restored', live }
end
if earlier then return { 'already' } end
if redis.call('MGET', summary)[1] ~= before then return { 'changed' } end
local condensed_mark = '"summary_id":' .. a.quoted
for i, original in ipairs(a.originals) do
  if original[3] then redis.call('ZCARD', originals[3 * i]) end -- a key of another kind ends the script here, before its first write
end
local tokens, count = 0, 0
for i, original in ipairs(a.originals) do
  local id, first = original[1], 3 * (i - 1) + 1
  local finding, kept, by_session = originals[first], originals[first + 1], originals[first + 2]
  local score = redis.call('ZSCORE', condensed, id)
  local is_condensed = redis.call('TYPE', finding).ok == 'string' and string.find(redis.call('GET', finding), condensed_mark, 1, true)
  if score and is_condensed and redis.call('EXISTS', kept) == 1 then
    redis.call('RENAME', kept, finding)
    redis.call('ZREM', condensed, id)
    redis.call('ZADD', index, score, id)
    if original[3] then redis.call('ZADD', by_session, score, id) end
    if a.shard ~= '' then redis.call('ZADD', by_shard, score, id) end
    redis.call('XADD', events, 'MAXLEN', '~', 10000, '*', 'changed', id, 'why', 'restored')
    tokens = tokens + tonumber(original[2])
    count = count + 1
  end
end
redis.call('SET', summary, marked, 'KEEPTTL')
redis.call('HSET', retracted, a.id, a.note)
if redis.call('ZREM', index, a.id) == 1 then tokens = tokens - tonumber(a.tokens) end
count_tokens(context_active, string.format('%d', tokens))
redis.call('XADD', events, 'MAXLEN', '~', 10000, '*', 'changed', a.id, 'why', 'retracted')
return { 'restored', count }
