-- settle-permit: replaces the estimated tokens of a started call by those it had. Answers 1, or 0 if its minute is over.
--@keys 1
local kept = redis.call('HGET', KEYS[1], ARGV[1])
if not kept then return 0 end
redis.call('HINCRBY', KEYS[1], 'sum', tonumber(ARGV[2]) - tonumber(string.match(kept, '^%d+')))
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2] .. string.match(kept, '|.*$'))
return 1
