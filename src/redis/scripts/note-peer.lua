-- note-peer: records how an assist task ended. The first that helps, and the last of all, make the question ready: its asker is to be woken.
--@keys turns helped
--@answers ready | open | closed (nobody waits for it any more)
local call, n, helps, finding, job = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
--@include clock
--@include peers
if not still_asks(turns, call) then return 'closed' end
redis.call('HSETNX', turns, 'p:' .. call .. ':' .. n, string.format('%s%.0f|%s', helps == '1' and '+' or '-', clock(), finding))
local _, ends = read_question(turns, call)
local ended = 0
for _, ending in ipairs(ends) do
  if ending ~= '' then ended = ended + 1 end
  if string.sub(ending, 1, 1) == '+' then ended = #ends end
end
if ended < #ends then return 'open' end
redis.call('ZADD', helped, 'NX', string.format('%.0f', clock()), call .. '|' .. job)
return 'ready'
