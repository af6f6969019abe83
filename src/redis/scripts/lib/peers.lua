-- A task's questions to its peers, in the hash of its turns. `asked`: the questions' names, each with a comma. `p:<call>`: `asked
-- at|due at|peers`. `p:<call>:<n>`: how assist task n ended, `+at|finding` if it helps, else `-at|finding or nothing`.
-- `p:<call>:closed`: what the task was told.

-- Whether the task still waits for this question's answer: it has not failed since, nor ended.
local function still_asks(turns, call)
  local state = redis.call('HMGET', turns, 'p:' .. call, 'p:' .. call .. ':closed', 'cause')
  return state[1] and not state[2] and not state[3]
end

-- Returns the question's record, and its ends by peer.
local function read_question(turns, call)
  local record = redis.call('HGET', turns, 'p:' .. call)
  local ends = {}
  for n = 1, tonumber(string.match(record or '', '|(%d+)$') or '0') do
    ends[n] = redis.call('HGET', turns, 'p:' .. call .. ':' .. n) or ''
  end
  return record, ends
end
