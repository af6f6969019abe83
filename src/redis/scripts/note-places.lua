-- note-places: notes how far some rules have looked, of those that are still what the caller has read.
--@keys places...
--@answers number: how many
local all = cjson.decode(ARGV[1]) -- for each rule: version; cursor and past, where they change; past '' : it has looked at all; problem '' : none
--@include clock
local count = 0
local now = string.format('%.0f', clock())
for _, rule in ipairs(places) do redis.call('HLEN', rule) end -- a key of another kind ends the script here, before its first write
for i, rule in ipairs(places) do
  local a = all[i]
  if redis.call('HGET', rule, 'version') == a.version then
    if a.cursor then redis.call('HSET', rule, 'cursor', a.cursor .. '|' .. now) end
    if a.past == '' then redis.call('HDEL', rule, 'past')
    elseif a.past then redis.call('HSET', rule, 'past', a.past) end
    if a.problem == '' then redis.call('HDEL', rule, 'problem')
    elseif a.problem then redis.call('HSET', rule, 'problem', a.problem) end
    count = count + 1
  end
end
return count
