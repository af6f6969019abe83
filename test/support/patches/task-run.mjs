/**
 * One run of a task that writes, without a model: opens its tree, writes into it, commits it, stores the patch, records that
 * it is done. Usage: `node task-run.mjs ROOT WORKTREES TASK COMMIT`, with REDIS_URL and FLEET_SWARM.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const dist = new URL('../../../dist/src/', import.meta.url);
const load = (path) => import(new URL(path, dist).href);
const [root, worktrees, taskId, commit] = process.argv.slice(2);
const { connectRedis } = await load('redis/connect.js');
const { createDb } = await load('redis/db.js');
const { findRepository } = await load('git/repository.js');
const { openTree } = await load('patches/task-tree/open-tree.js');
const { finishTree } = await load('patches/commit/finish-tree.js');

const { signal } = new AbortController();
const redis = await connectRedis(process.env.REDIS_URL, { role: 'worker', name: 'task-run' });
const db = createDb(redis, process.env.FLEET_SWARM);
const isGuarded = () => false;
const author = { name: 'haiku-fleet', email: 'worker@haiku-fleet.invalid' };
const repository = await findRepository(root, root, signal);
const owner = {
  taskId,
  findingId: `f-${taskId}`,
  workspace: 'site',
  repository,
  swarm: 'x',
  host: 'box',
  isRebuilding: false,
};
const base = { tree: 'aa', commit, buildsOn: [] };
const tree = await openTree(base, owner, { worktrees, links: [], author, isGuarded }, signal);
await writeFile(join(tree.root, 'a.txt'), 'changed\n');
await writeFile(join(tree.root, 'new.txt'), 'new\n');
const facts = {
  message: 'Done\n',
  author,
  toMessage: (own) => own,
  batch: null,
  missionId: null,
  now: new Date(),
  stillMine: async () => {},
};
await finishTree(db, tree, repository, { files: [], toolsWrote: [], isGuarded }, facts, signal);
redis.disconnect();
