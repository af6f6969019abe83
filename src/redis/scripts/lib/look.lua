-- Looks at a part of a list or a sorted set, newest first, for what fits. It reads only. Needs nothing.

-- Bytes of texts that one step looks through: it takes Redis a few milliseconds.
local MOST_BYTES = 2 * 1024 * 1024

-- Where a part of a list begins that goes on after `from` {id, index}: entries that were added meanwhile, at the head, come before.
local function list_start(key, from, count)
  local index = tonumber(from.index)
  if redis.call('LINDEX', key, index - 1) == from.id then return index end
  for i, id in ipairs(redis.call('LRANGE', key, index, index + count - 1)) do
    if id == from.id then return index + i end
  end
  return math.max(0, index - 1) -- the entry has left the list: what came after it moved one place up
end

-- The same of a sorted set. Of an entry that has left it, the place by its score.
local function zset_start(key, from)
  if redis.call('ZSCORE', key, from.id) == from.score then return redis.call('ZREVRANK', key, from.id) + 1 end
  return redis.call('ZCOUNT', key, '(' .. from.score, '+inf')
end

-- Returns the ids of a part, the score of each in a sorted set, and the index of the first.
local function part_of(key, from, count)
  local kind = redis.call('TYPE', key).ok
  if kind == 'list' then
    local start = from and list_start(key, from, count) or 0
    return redis.call('LRANGE', key, start, start + count - 1), {}, start
  elseif kind ~= 'zset' then
    return {}, {}, 0 -- it is not there, or another program replaced it: `fleet status` names it
  end
  local start = from and zset_start(key, from) or 0
  local flat = redis.call('ZREVRANGE', key, start, start + count - 1, 'WITHSCORES')
  local ids, scores = {}, {}
  for i = 1, #flat, 2 do
    ids[#ids + 1], scores[#scores + 1] = flat[i], flat[i + 1]
  end
  return ids, scores, start
end

-- Whether one of a group of texts is in a text, literally.
local function has_any(text, group)
  for _, wanted in ipairs(group) do
    if string.find(text, wanted, 1, true) then return true end
  end
  return false
end

-- Whether one of each group is.
local function has_all(text, groups)
  for _, group in ipairs(groups) do
    if not has_any(text, group) then return false end
  end
  return true
end

-- Whether all words are in a text or in its id, whatever the case of their ASCII letters. `a.hints`: of each word what a text that has it
-- has one of as it is, or nothing. To lower a text takes ten times as long as to look for a hint. `a.names`: of fields, which are no
-- words. `cut`: takes from a text what is no part of it.
local function has_words(text, id, a, cut)
  local lower, without
  for i, word in ipairs(a.words) do
    local hint = a.hints[i]
    local found = #hint == 0 or has_any(text, hint)
    if found then
      lower = lower or string.lower(cut and cut(text) or text)
      found = has_any(lower, word)
      if found and a.names then
        without = without or string.gsub(lower, '"([%w_]+)":', a.names)
        found = has_any(without, word)
      end
    end
    if not found and not has_any(string.lower(id), word) then return false end
  end
  return true
end
