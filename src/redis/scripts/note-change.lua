-- note-change: notes in the audit what a person or a client has changed, or begins to, once for each call.
--@keys audit once
--@answers text: id of the entry
--@include once
local call, replaced, who, from, client, what, about, before, after = unpack(ARGV)
redis.call('XLEN', audit) -- fails before the first write where the key holds another type
if has_run(once, call) then
  for _, member in ipairs(redis.call('SMEMBERS', once)) do
    if member ~= call then return member end
  end
end
local id = redis.call('XADD', audit, 'MAXLEN', '~', '10000', '*', 'who', who, 'from', from, 'client', client, 'what', what, 'about', about, 'before', before, 'after', after)
redis.call('SADD', once, id)
if replaced ~= '' then redis.call('XDEL', audit, replaced) end
return id
