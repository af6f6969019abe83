-- note-process: notes that a worker process of a queue lives, and returns all that were noted.
--@keys processes
--@answers values: for each process its id, its mark as JSON, and the ms since it was noted last
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
redis.call('HSET', processes, ARGV[1], string.format('%.0f', now) .. '|' .. ARGV[2])
local answer = {}
local all = redis.call('HGETALL', processes)
for i = 1, #all, 2 do
  local at, mark = string.match(all[i + 1], '^(%d+)|(.*)$')
  answer[#answer + 1] = all[i]
  answer[#answer + 1] = mark or ''
  answer[#answer + 1] = string.format('%.0f', at and now - at or 1e9) -- a damaged record counts as old
end
return answer
