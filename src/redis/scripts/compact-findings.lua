-- compact-findings: replaces findings by one summary that cites them, all or none, if none has changed since the summary was written.
-- `others`: the indexes of sessions and of the memory shard, then for each original the finding and its private key.
--@keys summary index condensed context_active events counters turns pieces reservations others...
--@answers recorded | already | taken | changed
--@include context
--@include reservation
local a = cjson.decode(ARGV[1]) -- {job, id, at, tokens, session, topics, channel, sessions, originals: [[id, tokens, digest]...]}
local text = ARGV[2]
local FIRST_CONDENSED = 3
local first_original = a.sessions + 1

-- Digest of a hash: of its fields in the order of their names, with a zero byte after each name and value.
local function digest_of(key)
  local kind = redis.call('TYPE', key).ok
  if kind == 'string' then return redis.sha1hex(redis.call('GET', key)) end
  if kind ~= 'hash' then return '' end
  local flat, values, names = redis.call('HGETALL', key), {}, {}
  for i = 1, #flat, 2 do
    names[#names + 1] = flat[i]
    values[flat[i]] = flat[i + 1]
  end
  table.sort(names)
  local parts = {}
  for _, name in ipairs(names) do parts[#parts + 1] = name .. '\0' .. values[name] .. '\0' end
  return redis.sha1hex(table.concat(parts))
end

if redis.call('EXISTS', summary) == 1 then
  redis.call('HDEL', pieces, a.job)
  if redis.call('TYPE', summary).ok == 'string' and string.find(redis.call('GET', summary), '"job_id":"' .. a.job .. '"', 1, true) then
    close_last(turns, reservations, counters)
    redis.call('DEL', turns)
    return 'already'
  end
  return 'taken'
end
for i, original in ipairs(a.originals) do
  if not redis.call('ZSCORE', index, original[1]) or digest_of(others[first_original + 2 * (i - 1)]) ~= original[3] then
    return 'changed'
  end
end
for s = 1, a.sessions do redis.call('ZCARD', others[s]) end -- a key of another kind ends the script here, before its first write

redis.call('SET', summary, text)
redis.call('ZADD', index, a.at, a.id)
local tokens = tonumber(a.tokens)
for i, original in ipairs(a.originals) do
  local id, finding, kept = original[1], others[first_original + 2 * (i - 1)], others[first_original + 2 * (i - 1) + 1]
  local expires = redis.call('PTTL', finding)
  redis.call('RENAME', finding, kept) -- a string, or the hash of an older program
  redis.call('SET', finding, ARGV[FIRST_CONDENSED + i - 1])
  if expires > 0 then redis.call('PEXPIRE', finding, expires) end
  redis.call('ZADD', condensed, redis.call('ZSCORE', index, id), id)
  redis.call('ZREM', index, id)
  for s = 1, a.sessions do redis.call('ZREM', others[s], id) end
  redis.call('XADD', events, 'MAXLEN', '~', 10000, '*', 'changed', id, 'why', 'condensed')
  tokens = tokens - tonumber(original[2])
end
for s = 1, a.sessions do redis.call('ZADD', others[s], a.at, a.id) end
count_tokens(context_active, string.format('%d', tokens))
redis.call('HINCRBY', counters, 'condensed_findings', #a.originals)
redis.call('HINCRBY', counters, 'summaries', 1)
redis.call('XADD', events, 'MAXLEN', '~', 10000, '*', 'finding', a.id, 'session', a.session, 'batch', '', 'topics', a.topics)
close_last(turns, reservations, counters)
redis.call('DEL', turns)
redis.call('HDEL', pieces, a.job)
redis.call('PUBLISH', a.channel, a.id)
return 'recorded'
