-- ask-peers: opens a task's question to its peers, once, if this worker still has the job; says how far it is.
--@keys turns lock
--@answers list: open RECORD END… | closed TOLD RECORD END… | too-many | lock-lost
local token, worker, call, wait_ms, peers, most = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6]
--@include clock
--@include lock
--@include peers
if not has_job(lock, token, worker) then return { 'lock-lost' } end
if redis.call('HEXISTS', turns, 'p:' .. call) == 0 then
  local asked = redis.call('HGET', turns, 'asked') or ''
  local _, count = string.gsub(asked, ',', ',')
  if count >= tonumber(most) then return { 'too-many' } end
  local now = clock()
  redis.call('HSET', turns, 'p:' .. call, string.format('%.0f|%.0f|%s', now, now + wait_ms, peers), 'asked', asked .. call .. ',')
end
local record, ends = read_question(turns, call)
local told = redis.call('HGET', turns, 'p:' .. call .. ':closed')
if told then return { 'closed', told, record, unpack(ends) } end
return { 'open', record, unpack(ends) }
