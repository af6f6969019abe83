/**
 * Every Redis key and channel of the fleet. No other file spells one.
 *
 * Public keys (read and written by other programs) have no prefix in the default swarm and `{acme}:` in swarm `acme`.
 * Private keys are always under the hash tag, so that one script may touch many of them on a Redis Cluster. No private
 * key may match `finding:*`, `task:*:claimed`, `worker:status:*` or `cost:*`.
 */
export interface Keys extends ReturnType<typeof createKeys> {}

/**
 * Names a total that other programs read: `haiku`, `sonnet`, `gemini`, or the vendor of any other model. `other` is a private total:
 * work without a vendor, and what versions before booked of other vendors.
 */
export type CostVendor = string;

/** What another program's task has beside its text. */
export type OldTaskPart = 'claimed' | 'result' | 'error';

/**
 * The hashes of the bridge. `start`: `since`, ms of its first start. `known`: job id → JSON {id, at} of each task that was taken, or
 * done elsewhere. `older`: the same of each that is older than the first start, and was not taken. `ends`: old id → JSON {job, by,
 * result} of what became of it last. `claims`: old id → JSON {job, by, after} of each claim that the fleet holds. `held`: old id →
 * JSON {job, by, result} of each task that waits for another program's worker. `listed`: job id → JSON {task, shard, hasFailed} of each
 * task of a memory shard that the fleet took and has not answered. `asked`: id of a query of `queue:archive_query` → ms of its arrival,
 * until its answer is told. `assists`: job id → id of the request of an old worker that the job helps.
 */
export type BridgePart = 'start' | 'known' | 'older' | 'ends' | 'claims' | 'held' | 'listed' | 'asked' | 'assists';

/** @param swarm name of the swarm; null is the default one */
export function createKeys(swarm: string | null) {
  const tag = swarm === null ? '{fleet}' : `{${swarm}}`;
  const open = swarm === null ? '' : `${tag}:`;
  const own = (name: string): string => `${tag}:${name}`;
  return {
    swarm: swarm ?? 'fleet',
    /** BullMQ's `prefix` option. */
    bullPrefix: tag,
    /** The prefix of public keys and channels: empty in the default swarm. */
    publicPrefix: open,

    // public
    finding: (id: string) => `${open}finding:${id}`,
    workerStatus: (workerId: string) => `${open}worker:status:${workerId}`,
    workerTasks: (workerId: string) => `${open}worker:tasks:${workerId}`,
    shardQuota: (shard: number) => `${open}librarian:shard${shard}:quota`,
    shardStatus: (shard: number) => `${open}librarian:shard${shard}:status`,
    cost: (vendor: CostVendor) => (vendor === 'other' ? own('spent:other') : `${open}cost:${vendor}`),
    costs: `${open}cost:`, // prefix of each public `cost`: the scripts add the vendor
    contextActive: `${open}context:active`,
    query: (id: string) => `${open}query:archive:${id}`,
    response: (id: string) => `${open}response:archive:${id}`,
    haltReason: `${open}halt:reason`,
    channelFindings: `${open}channel:findings`,
    channelCompletions: `${open}channel:completions`,
    channelQueries: `${open}channel:queries`,
    channelResponses: `${open}channel:responses`,
    oldTask: (id: string, part?: OldTaskPart) => `${open}task:${id}${part === undefined ? '' : `:${part}`}`, // of another program; only the bridge touches it
    channelTasks: `${open}channel:tasks`,
    channelPattern: `${open}channel:*`, // all of them, for PSUBSCRIBE

    // public, of the second version of the old programs: only the bridge touches them
    memoryShards: `${open}swarm:memory_shards`, // set: ids of memory shards
    oldShard: (shard: string, part: 'tasks' | 'findings' | 'context' | 'context:chunks' | `context:chunk:${number}`) =>
      `${open}shard:${shard}:${part}`, // lists of ids; the context a hash, and strings where it is large
    oldQueue: (type: string) => `${open}queue:${type}`, // list: ids of tasks that nobody took
    queryFindings: (id: string) => `${open}query:${id}:findings`, // list: ids of the answers to a query of `queue:archive_query`
    assist: (part: 'request' | 'lock' | 'solution' | 'solved', id: string) => `${open}assist_${part}:${id}`, // strings with expiry; `solved` is a channel

    // BullMQ's own keys that scripts read inside their one step
    jobLock: (queue: string, jobId: string) => own(`${queue}:${jobId}:lock`),
    jobLogs: (queue: string, jobId: string) => own(`${queue}:${jobId}:logs`),
    queueKey: (queue: string, part: string) => own(`${queue}:${part}`),

    // the swarm itself
    swarmMark: own('swarm'), // hash: kind real|simulated, layout
    sharedWith: own('shared-with'), // string: JSON of the swarms that may read this one's findings, as its last process to start found them
    otherSwarms: own('other-swarms'), // hash: other swarm → JSON of what a process of this one last found there
    preflight: own('preflight'), // string with expiry: each process writes it once as a test before it starts
    session: own('session'), // hash: name, startedAt, explicit
    counters: own('counters'), // hash: recoveries, waits, quarantines … since the swarm began
    metrics: own('metrics'), // hash: `<kind>|<label>…` → count since the swarm began, for `/metrics`; see lib/tally.lua
    samples: (span: string) => own(`samples:${span}`), // hash with expiry: place of a step → `<step>|<JSON of some of the metrics at its begin>`
    workers: own('workers'), // hash: worker id → JSON of its last heartbeat
    attendants: own('attendants'), // hash: id of a librarian or coordinator → ms of its last heartbeat
    shardKeys: own('shard-keys'), // hash with expiry: process of a librarian → JSON of a digest of each shard's key, and when it was noted
    hostClocks: own('host-clocks'), // hash with expiry: host whose clock is off → `<ms ahead of Redis>|<ms of the note>`
    workerName: (host: string, number: string) => own(`worker-name:${host}:${number}`),
    control: own('control'), // channel: halts, resumes, cancels
    lease: (name: string) => own(`turn-of:${name}`), // string with expiry: token of the process that holds the lease
    events: own('events'), // stream: one entry a finding
    activity: own('activity'), // stream: what happened besides findings, see src/swarm/activity.ts
    begun: own('activity:begun'), // stream: one entry a job that has begun its first paid call, or that a rule starts or parks
    audit: own('audit'), // stream: one entry a change that a person or a client made, see src/audit
    endedSession: (id: string) => own(`ended-session:${id}`), // string with expiry: a dashboard's session that was logged out
    benchmark: (run: string) => own(`benchmark:${run}`), // prefix of strings with expiry: what `fleet bench redis` reads
    once: (call: string) => own(`once:${call}`), // set with expiry: ids of calls that ran, so that one that is sent twice runs once
    healthCheck: own('health-check'), // string with expiry: written by the dashboard's last health check
    halted: own('halted'), // hash: the queues that the halt itself paused

    // findings
    index: own('index'), // zset: finding id by `at` in ms
    indexBySession: (session: string) => own(`index:session:${session}`),
    indexByShard: (shard: string) => own(`index:shard:${shard}`), // of a memory shard
    indexByBatch: (batch: string) => own(`index:batch:${batch}`),

    indexAnswers: own('index:answers'), // zset: ids of the librarian's own answers by ms; no evidence, in no other index
    retracted: own('retracted'), // hash: finding id → JSON {why, by, at}
    recount: own('recount'), // string: `context:active` is to be counted anew; the scripts derive its name from that key
    adopted: own('adopted'), // hash: id of a finding of another program → JSON of what it lacked: {session?, at?}
    oldWorkers: own('old-workers'), // hash: id of a worker of another program → ms at which it was last seen alive
    unreadable: own('unreadable'), // set: ids under which other programs stored something that is no finding

    aliases: own('aliases'), // hash: id under which old programs read a finding in their own form → id of the finding; no finding of its own
    bridgeInbox: (list: string) => own(`bridge:inbox:${list}`), // list: what was taken from a public queue and is not stored elsewhere yet
    indexCondensed: own('index:condensed'), // zset: ids of condensed findings, by the ms they had in `index`
    compaction: own('compaction'), // hash: state, problem, live, condensed, at of the last compaction
    compactionPieces: own('compaction:pieces'), // hash: job id of a running group → JSON list of the finding ids in it
    uncondensed: own('uncondensed'), // zset: ids of findings that could not be summarised, by the ms of the try

    // money
    budget: own('budget'), // hash: limit of a day
    spend: (scope: string) => own(`spend:${scope}`), // hash: settled, reserved, uncertain, limit, parked; scope `day:2026-11-21`, `client:x`, `batch:x`, `task:<job>`
    daySpends: own('spend:day:'), // prefix of the day's `spend`: the scripts add the UTC day, by Redis' clock
    reservations: own('reservations'), // hash: reservation id → `worst|reserved at|part…`, see src/ledger/reservation.ts
    uncertain: own('reservations:uncertain'), // hash: the same of calls of uncertain cost, until it is known; the scripts derive its name from `reservations`
    settlements: own('settlements'), // list: JSON of the last 1,000 uncertain calls that a person or the provider's report settled
    ledger: (day: string) => own(`ledger:${day}`), // hash: session|batch|mission|model|worker|measure → integer
    ledgers: own('ledger:'), // prefix of each `ledger`: the scripts add the day on which the call was reserved
    ledgerDays: own('ledger-days'), // set of days with a ledger
    owed: own('reservations:owed'), // hash: vendor → nano that could not be added to `cost:*` yet; the scripts derive its name from `reservations`
    booked: own('reservations:booked'), // hash: each vendor that was ever paid → nano added to its `cost:*` since the session in force began, of any session; the scripts derive its name from `reservations`
    sessionTotals: (session: string) => own(`session-totals:${session}`), // hash: per vendor nano, tokens, tasks

    // clients
    clients: own('clients'), // hash: client → JSON {role, hash of its token, created_at, expires_at}
    clientsUsed: own('clients-used'), // hash: client → ms at which its token was last used, to the minute

    // rules
    rules: own('rules'), // zset: name of each rule by ms of its creation
    rule: (name: string) => own(`rule:${name}`), // hash: record, version, paused, problem, counts; cursor `<event>|<ms of the note>`, past (JSON: how far it has looked through the indexes)
    ruleFired: (name: string) => own(`rule-fired:${name}`), // zset: finding for which it started or parked a task, by ms; it outlives the rule
    rulesVersion: own('rules-version'), // integer: grows with each change of a rule
    rulesPending: own('rules-pending'), // hash: task id → JSON of the task that is being added
    rulesParked: own('rules-parked'), // hash: task id → `<why>|<ms>|<JSON of the chain>`
    arrivals: own('arrivals'), // zset: finding whose `at` does not tell when it came, by the ms when it did; only while there are rules

    // shards: a project is one Gemini account with its limits; shards of the same project share them
    gateTurn: own('gate-turn'), // integer: the shard that is tried first next, in turn
    gateEpoch: own('gate-epoch'), // string `id|ms` (no permit before): another value than a process knows, or none, means that Redis lost data
    gate: (project: string) => own(`gate:${project}`), // prefix of the limiter's own keys of a project
    shardProject: (project: string) => own(`shard-project:${project}`), // hash: day, left, cool_until, cool_reason, pace_next, stated:day|minute|tokens, rpd (most calls a day that were allowed on rpd_day), rpd_last (at the last start)
    shardStarts: (project: string) => own(`shard-starts:${project}`), // zset with expiry: permit by the time it was given
    shardTokens: (project: string) => own(`shard-tokens:${project}`), // hash with expiry: permit → tokens|shard
    shardState: (shard: number) => own(`shard-state:${shard}`), // hash: failures, last_error, last_error_at, closed_until, closed_reason, key (hash of the key at the last start)

    // tasks of other programs, which come through the bridge
    bridge: (part: BridgePart) => own(`bridge:${part}`), // hashes, see BridgePart
    channelBridge: own('bridge-listens'), // channel: each bridge listens here too, so that it does not take itself for another program

    // patches
    patch: (findingId: string) => own(`patch:${findingId}`), // string: JSON of a PatchRecord
    patchText: (findingId: string) => own(`patch-text:${findingId}`), // string: the patch, gzip of what `git diff --binary` writes
    patches: own('patches'), // zset: finding id of each patch that is neither applied, discarded nor empty, by ms
    patchConflicts: own('patch-conflicts'), // set: finding ids of the open patches that did not fit when a person last tried
    treeHosts: own('tree-hosts'), // hash: `<host>` → JSON of the task trees on its disk, as its last sweep found them

    // missions
    missions: own('missions-index'), // zset: mission id by creation in ms
    missionAdded: (id: string) => own(`mission-added:${id}`), // bitmap: position of each task that was added to the queue
    mission: (id: string) => own(`mission:${id}`), // hash: goal, session, state, step, plan, counts … of one mission
    paper: (id: string) => own(`paper:${id}`), // hash: outline, drafts by section, shard test, choices of one paper
    condensed: (id: string) => own(`condensed:${id}`), // string: value of `finding:<id>` before the finding was condensed
    delegation: (session: string) => own(`delegation:${session}`), // hash: tasks planned for haiku and sonnet

    // jobs
    turns: (jobId: string) => own(`turns:${jobId}`), // hash: stored replies and tool results of one job
    run: (jobId: string) => own(`run:${jobId}`), // list with expiry: what happened in the runs of one job, at most 500 entries, see src/run-record; `begin-turn` derives its name from `turns`
    cancelled: own('cancelled'), // zset: job id by the time a person cancelled it
    cancelledEnds: (queue: string) => own(`cancelled-ends:${queue}`), // zset: id of each failed job that a person cancelled → ms
    parked: own('parked'), // hash: job id → own budget it waits for
    recentFailures: own('recent-failures'), // zset: `<reason>|<job id>` of the last ten minutes by ms, for the error rate
    crashBase: own('crash-base'), // hash of an older version: job id → deaths that no longer count; the sweep empties it
    damagedJob: (queue: string, jobId: string) => own(`damaged:${queue}:${jobId}`), // of any type, with expiry: what was under a job's key and is no job
    crashes: (jobId: string) => own(`crashes:${jobId}`), // hash with expiry: deaths of the job's workers since its last progress, by place; only of a job whose worker died
    processes: (queue: string) => own(`processes:${queue}`), // hash: BullMQ's id of each worker process → `<noted at, ms>|<JSON of its mark>`
    deaths: (queue: string) => own(`deaths:${queue}`), // zset with expiry: worker processes that died, by ms
    cooldown: (model: string) => own(`cooldown:${model}`), // string with expiry: the model waits
    modelRefused: (model: string) => own(`refused:${model}`), // string with expiry: hash of the key that its provider refuses
    limitedInRow: (model: string) => own(`limited:${model}`), // integer with expiry: rate limits in a row without a wait
    outage: (model: string) => own(`outage:${model}`), // integer: provider failures in a row
    outageRow: (model: string) => own(`outage-row:${model}`), // hash: the failures in a row, see `lib/outage.lua`
    pace: (name: string) => own(`pace:${name}`), // string with expiry: JSON of what is known of the limits of `<key hash>:<model>`
    waits: own('waits'), // zset: what delayed jobs wait for (`money:batch:x`, `model:<model>`, `shards`) → ms when the last of them is due
    waitsFor: (reason: string) => own(`waits-for:${reason}`), // zset with expiry: `<queue>|<worst case>|<job id>` of at most 50,000 delayed jobs → ms when it is due
    begunDelayed: own('begun-delayed'), // zset: job id of a begun task that is delayed → ms when its delay is over
    helped: own('helped'), // zset: `<question>|<job id>` of each task whose question to its peers is answered, until it has the answer → ms
    offered: own('offered'), // zset: job id of each task that outside workers may claim → ms when it was first offered
    outsideLeases: own('outside-leases'), // zset: job id of each task that an outside worker holds → ms when its lease ends
    paced: own('paced'), // hash: `<key hash>:<model>` → last use in ms
    modelKeys: own('model-keys'), // hash: `anthropic` or another model → digest of the API key of the worker that started last
    modelsInUse: own('models-in-use'), // hash: model → last use in ms
    replySizes: own('reply-sizes'), // hash with expiry: `<model>|<effort>|<kind of task>` → `<replies>,<longer than each length>…|<nonce>`
    batches: own('batches'), // zset: batch name by creation
    batch: (name: string) => own(`batch:${name}`), // hash: session, client, createdAt, lines, tasks, round, loaded
    batchFailed: (name: string) => own(`batch-failed:${name}`), // set of failed job ids
    alerts: own('alerts'), // hash: condition → JSON {of, level, rises}: how high it was when it was last looked at
    noticed: (mark: string) => own(`noticed:${mark}`), // string with expiry: this event was announced to FLEET_NOTIFY
    reservedFindings: own('finding-owners'), // hash: finding id that a caller chose → job id
    context: (name: string) => own(`context:${name}`), // string: a memory context
    contextVersions: (name: string) => own(`context-versions:${name}`), // hash: sha256 → text that was replaced; '' → their order
    contexts: own('contexts'), // hash: name → JSON {bytes, sha256, loadedAt}
  };
}
