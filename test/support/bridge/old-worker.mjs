/**
 * A worker as old programs run it: it knows nothing of the fleet. Its loops follow, command by command, the original's
 * `active_loop` (mode `loop`), its ephemeral worker (mode `v2`) and its persistent helper (mode `helper`).
 *
 * Usage: node old-worker.mjs <redis url> <key prefix> <worker id> <loop|v2:TYPE|helper> [ms of work a task]
 * It prints `ready`, and `ran <task>` for each task that it did.
 */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';

const [url, prefix, workerId, mode, workMs = '1'] = process.argv.slice(2);
const redis = new Redis(url);
const key = (name) => `${prefix}${name}`;
const now = () => new Date().toISOString().replace('Z', '000'); // local time without a zone, as `datetime.now().isoformat()`
const newId = () => `finding_${randomBytes(4).toString('hex')}`;

const heartbeat = () => redis.set(key(`worker:status:${workerId}`), now(), 'EX', 60);

async function execute(task) {
  await heartbeat();
  await sleep(Number(workMs));
  const cost = 100 * (0.001 / 1000) + 200 * (0.005 / 1000);
  const id = newId();
  const finding = {
    finding_id: id,
    worker_id: workerId,
    timestamp: now(),
    task: task.description ?? 'Unknown',
    result: { status: 'completed', message: 'Task executed successfully' },
    files_changed: task.files ?? [],
    citations: [],
    tokens_used: 300,
    cost,
  };
  await redis.set(key(`finding:${id}`), JSON.stringify(finding));
  await redis.publish(key('channel:findings'), id);
  await redis.incrbyfloat(key('cost:haiku'), cost);
  return id;
}

/** Handles one announcement after the other, in the order in which they came. */
async function activeLoop() {
  const subscriber = new Redis(url);
  const announced = [];
  let wake = () => {};
  subscriber.on('message', (_channel, id) => {
    announced.push(id);
    wake();
  });
  await subscriber.subscribe(key('channel:tasks'));
  console.log('ready');
  for (;;) {
    if (announced.length === 0) await new Promise((resolve) => (wake = resolve));
    const id = announced.shift();
    if ((await redis.set(key(`task:${id}:claimed`), workerId, 'EX', 300, 'NX')) !== null) {
      const json = await redis.get(key(`task:${id}`));
      if (json !== null) {
        const findingId = await execute(JSON.parse(json));
        console.log(`ran ${id}`);
        await redis.set(key(`task:${id}:result`), findingId);
        await redis.publish(key('channel:completions'), id);
      }
    }
    await heartbeat();
  }
}

async function ephemeral(type) {
  console.log('ready');
  for (;;) {
    const id = await redis.lpop(key(`queue:${type}`));
    if (id === null) {
      await sleep(20);
      continue;
    }
    const task = await redis.hgetall(key(`task:${id}`));
    if (Object.keys(task).length === 0) continue;
    await redis.hset(key(`task:${id}`), { status: 'in_progress', worker_id: workerId, claimed_at: now() });
    JSON.parse(task.data ?? '{}');
    await sleep(Number(workMs));
    const findingId = newId();
    const content = JSON.stringify({ summary: `done by ${workerId}: ${task.description}` });
    const record = { task_id: id, worker_id: workerId, timestamp: now(), content };
    await redis.hset(key(`finding:${findingId}`), record);
    await redis.rpush(key(`shard:${task.parent_shard}:findings`), findingId);
    await redis.hset(key(`task:${id}`), { status: 'completed', finding_id: findingId, completed_at: now() });
    console.log(`ran ${id}`);
  }
}

/** Only its second loop: it helps peers. */
async function helper() {
  console.log('ready');
  for (;;) {
    let found = null;
    for (const urgency of ['urgent', 'high', 'normal']) {
      const id = await redis.lpop(key(`queue:assist_${urgency}`));
      if (id === null || (await redis.set(key(`assist_lock:${id}`), workerId, 'EX', 30, 'NX')) === null) continue;
      found = await redis.get(key(`assist_request:${id}`));
      if (found !== null) break;
    }
    if (found === null) {
      await sleep(50);
      continue;
    }
    const { assist_id: id } = JSON.parse(found);
    await sleep(Number(workMs));
    const solution = JSON.stringify({
      assist_id: id,
      helper_id: workerId,
      solution: 'use the cache',
      timestamp: now(),
    });
    await redis.setex(key(`assist_solution:${id}`), 300, solution);
    await redis.publish(key(`assist_solved:${id}`), solution);
    console.log(`ran ${id}`);
  }
}

if (mode === 'loop') await activeLoop();
else if (mode === 'helper') await helper();
else await ephemeral(mode.slice('v2:'.length));
