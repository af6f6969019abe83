-- change-patch: changes the state of a patch in its record and its finding, if neither has changed since the caller read them.
--@keys record text patches conflicts finding index context_active
--@answers changed | stale
--@include context
local a = cjson.decode(ARGV[1]) -- {id, open, conflict, at, expire_s: false to keep, tokens}
local record_before, record_after, finding_before, finding_after = ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local has_finding = finding_before ~= ''
local function has(key, text) return redis.call('TYPE', key).ok == 'string' and redis.call('GET', key) == text end
-- The client sent it twice because its connection broke.
if record_before ~= record_after and has(record, record_after) and (not has_finding or has(finding, finding_after)) then return 'changed' end
if not has(record, record_before) then return 'stale' end
if has_finding and not has(finding, finding_before) then return 'stale' end

redis.call('SET', record, record_after)
if has_finding and finding_after ~= finding_before then
  redis.call('SET', finding, finding_after, 'KEEPTTL')
  if redis.call('ZSCORE', index, a.id) then count_tokens(context_active, string.format('%d', a.tokens)) end
end
if a.open then
  redis.call('ZADD', patches, a.at, a.id)
else
  redis.call('ZREM', patches, a.id)
end
redis.call(a.conflict and 'SADD' or 'SREM', conflicts, a.id)
if a.expire_s then
  redis.call('EXPIRE', text, a.expire_s)
else
  redis.call('PERSIST', text)
end
return 'changed'
