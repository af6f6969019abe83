-- settle-permit: replaces the estimated tokens of a started call by its real ones.
--@keys tokens
--@answers number: 1, or 0 if the call has left the window
local kept = redis.call('HGET', tokens, ARGV[1])
if not kept then return 0 end
redis.call('HINCRBY', tokens, 'sum', tonumber(ARGV[2]) - tonumber(string.match(kept, '^%d+')))
redis.call('HSET', tokens, ARGV[1], ARGV[2] .. string.match(kept, '|.*$'))
return 1
