-- replace-context: stores a memory context in place of the one of its name. The text that it replaces stays for tasks that began with it.
-- Of versions it keeps the newest, and none that is too long to be sent with a task. The field '' of `versions` has their order.
--@keys context contexts versions
--@answers stored
local name, text, info, most_bytes, most, keep_seconds = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5]), ARGV[6]
local before = redis.call('GET', context)
local is_record, record = pcall(cjson.decode, redis.call('HGET', contexts, name) or '')
local version = is_record and type(record) == 'table' and record.sha256
if before and before ~= text and #before <= most_bytes and type(version) == 'string' and version ~= '' then
  local kept = { version }
  for other in string.gmatch(redis.call('HGET', versions, '') or '', '%S+') do
    if #kept >= most then redis.call('HDEL', versions, other)
    elseif other ~= version then kept[#kept + 1] = other end
  end
  redis.call('HSET', versions, version, before, '', table.concat(kept, ' '))
  redis.call('EXPIRE', versions, keep_seconds)
end
redis.call('SET', context, text)
redis.call('HSET', contexts, name, info)
return 'stored'
