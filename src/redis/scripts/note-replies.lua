-- note-replies: adds the lengths of replies to what the swarm knows of their group, and returns all that it knows. None added: only reads.
-- ARGV: group, nonce of this call, replies, and how many of them are longer than each length of `reply-sizes.ts`.
--@keys sizes
--@answers numbers: replies, then how many are longer than each length
local MOST_REPLIES = 4000 -- then the older ones count half, so that new kinds of tasks show soon
local KEEP_SECONDS = 30 * 86400
local group, nonce = ARGV[1], ARGV[2]
local packed = redis.pcall('HGET', sizes, group) or ''
if type(packed) == 'table' then -- damaged: of another type. It is only a memory, and begins anew
  redis.call('DEL', sizes)
  packed = ''
end
local counts = {}
for count in string.gmatch(string.match(packed, '^[%d,]*'), '%d+') do counts[#counts + 1] = tonumber(count) end
if #counts ~= #ARGV - 2 then
  for i = 1, #ARGV - 2 do counts[i] = 0 end
  packed = ''
end
if tonumber(ARGV[3]) > 0 and string.match(packed, '|(.*)$') ~= nonce then -- else the client sent it twice
  for i = 3, #ARGV do counts[i - 2] = counts[i - 2] + tonumber(ARGV[i]) end
  if counts[1] > MOST_REPLIES then
    for i, count in ipairs(counts) do counts[i] = i == 1 and math.floor(count / 2) or math.ceil(count / 2) end
  end
  redis.call('HSET', sizes, group, table.concat(counts, ',') .. '|' .. nonce)
  redis.call('EXPIRE', sizes, KEEP_SECONDS)
end
return counts
