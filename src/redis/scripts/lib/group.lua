-- Several jobs in one step. KEYS are `shared.keys` keys of all, then `shared.own` keys of each; ARGV[1] is JSON of the shared
-- fields and of each job's; ARGV[i + 1] is the long text of job i.
local shared, jobs = unpack(cjson.decode(ARGV[1]))

local function own_key(i, n) return KEYS[shared.keys + (i - 1) * shared.own + n] end

local function own_keys(n)
  local found = {}
  for i = 1, #jobs do found[i] = own_key(i, n) end
  return found
end
