-- drop-entry: removes the first entry of a list, if it is the given one. The entry is given as its SHA-1, so that no rule for secrets changes it.
--@keys list
--@answers number: how many were removed
local first = redis.call('LINDEX', list, 0)
if not first or redis.sha1hex(first) ~= ARGV[1] then return 0 end
redis.call('LPOP', list)
return 1
