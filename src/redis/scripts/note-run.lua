-- note-run: adds to the record of a job what no other script of its run writes. The job's hash holds the last call.
--@keys job run
--@answers number: 1, or 0 if this call has run before, or the job is gone
local a = cjson.decode(ARGV[1]) -- call, record
--@include once
--@include record
if redis.call('EXISTS', job) == 0 or has_run_last(job, 'recorded', a.call) then return 0 end
note_run(run, a.record)
return 1
