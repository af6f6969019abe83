-- note-death: notes once that a worker process died. With `frees`, which is for one that has certainly ended, its jobs need not wait until their locks expire.
--@keys processes deaths active stalled stalled_check
--@answers number: how many jobs it frees; -1: another process has noted the death
local KEEP_MS = 600000
local id, frees = ARGV[1], ARGV[2]
if redis.call('HDEL', processes, id) == 0 then return -1 end
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local among = redis.call('HLEN', processes) + 1 -- with it
redis.call('ZADD', deaths, string.format('%.0f', now), id .. '|' .. among)
redis.call('ZREMRANGEBYSCORE', deaths, '-inf', string.format('%.0f', now - KEEP_MS))
redis.call('PEXPIRE', deaths, KEEP_MS)
if frees ~= '1' then return 0 end
local freed, prefix = 0, string.sub(active, 1, -7) -- without `active`
for _, job in ipairs(redis.call('LRANGE', active, 0, -1)) do
  local lock = prefix .. job .. ':lock'
  local holder = redis.pcall('GET', lock)
  if type(holder) == 'string' and string.sub(holder, 1, #id + 1) == id .. ':' then -- BullMQ's token: `<worker>:<number>`
    redis.call('DEL', lock)
    redis.call('SADD', stalled, job)
    freed = freed + 1
  end
end
if freed > 0 then redis.call('DEL', stalled_check) end -- else BullMQ does not look for jobs without a lock yet
return freed
