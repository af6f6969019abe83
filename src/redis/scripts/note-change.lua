-- note-change: notes in the audit what a person or a client has changed, once for each call.
--@keys audit once
--@answers number: 1, or 0 if this call has noted before
--@include once
local call, who, from, client, what, about, before, after = unpack(ARGV)
redis.call('XLEN', audit) -- fails before the first write where the key holds another type
if has_run(once, call) then return 0 end
redis.call('XADD', audit, 'MAXLEN', '~', '10000', '*', 'who', who, 'from', from, 'client', client, 'what', what, 'about', about, 'before', before, 'after', after)
return 1
