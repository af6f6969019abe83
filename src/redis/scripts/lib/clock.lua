-- Redis' clock. The hosts' clocks differ, so that a script decides by this one whatever depends on time.

-- Returns ms since 1970.
local function clock()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end

-- Returns the UTC day of an instant, such as `2026-11-21`. http://howardhinnant.github.io/date_algorithms.html#civil_from_days
local function day_of(ms)
  local days = math.floor(ms / 86400000) + 719468 -- since 0000-03-01
  local era = math.floor(days / 146097)
  local in_era = days - era * 146097
  local year = math.floor((in_era - math.floor(in_era / 1460) + math.floor(in_era / 36524) - math.floor(in_era / 146096)) / 365)
  local in_year = in_era - (365 * year + math.floor(year / 4) - math.floor(year / 100))
  local month = math.floor((5 * in_year + 2) / 153) -- from March, which is 0
  local day = in_year - math.floor((153 * month + 2) / 5) + 1
  local is_next = month >= 10 -- January and February belong to the next year
  return string.format('%04d-%02d-%02d', year + era * 400 + (is_next and 1 or 0), is_next and month - 9 or month + 3, day)
end
