import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { useSimulatedFleet } from '../../support/fleet/simulated-fleet.ts';
import { initRepository, runGit } from '../../support/person-git.ts';
import { plainEnvironment, runFleet, startFleet } from '../../support/process/fleet-command.ts';
import { startWorkerProcess, type WorkerProcess } from '../../support/process/worker-process.ts';
import { createRandom, takeSeed } from '../../support/random.ts';
import { swarmEnvironment } from '../../support/redis/swarm-environment.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { waitUntil } from '../../support/wait.ts';

/** The long form: `FLEET_TEST_RUNS=1000`. */
const RUNS = Number(process.env['FLEET_TEST_RUNS'] ?? 40);
const FILES = Array.from({ length: 8 }, (_, i) => `lib/f${i}.txt`);
const LINES = 40;

const redis = useRedis();

interface Call {
  name: string;
  input: Record<string, string | string[]>;
}

/** What a task is to change: a line of its own in some files, perhaps a file of its own. */
interface Wish {
  files: string[];
  makesFile: boolean;
}

test(
  'a person, two workers, kills, apply, discard and undo lose nothing of anybody',
  { timeout: 120_000 + RUNS * 6_000 },
  async () => {
    const random = createRandom(takeSeed('a person beside the fleet'));
    const pick = <T>(list: readonly T[]): T => list[random(0, list.length - 1)] as T;
    const lineOf = (path: string, n: number): string => `${path} line ${n}`;
    const start = (path: string): string =>
      Array.from({ length: LINES }, (_, n) => `${lineOf(path, n + 1)}\n`).join('');
    const fleet = await useSimulatedFleet(redis, {
      workers: 0,
      site: Object.fromEntries(FILES.map((path) => [path, start(path)])),
    });
    const { site } = fleet;
    initRepository(site);
    const firstCommit = runGit(site, 'rev-parse', 'HEAD');
    const env = plainEnvironment(swarmEnvironment(redis, { FLEET_WORKSPACES: `site=${site}` }));
    let started = 0;
    const startWorker = (): Promise<WorkerProcess> =>
      startWorkerProcess(redis, {
        id: `w${(started += 1)}`,
        provider: fleet.simulator.url,
        slots: 3,
        workspace: site,
      });
    const workers = [await startWorker(), await startWorker()];

    const wishes = new Map<string, Wish>();
    /** The person's lines that are in their working tree, by file, and files that only they have. */
    const personLines = new Map<string, Set<string>>(FILES.map((path) => [path, new Set()]));
    const personFiles = new Map<string, string>();
    const inTree = new Set<string>();
    /** What each task changed, as its patch says. A file that the person had changed can be refused to it. */
    const changed = new Map<string, string[]>();
    let edits = 0;

    const addTask = async (run: number): Promise<void> => {
      const taskId = `t-${run}`;
      const wish: Wish = { files: [...new Set([pick(FILES), pick(FILES)])], makesFile: random(0, 3) === 0 };
      wishes.set(taskId, wish);
      const at = (path: string): string => `${lineOf(path, random(1, LINES))}\n`;
      const script = wish.files.flatMap((path): Call[] => {
        const line = at(path);
        return [
          { name: 'read', input: { file_path: path } },
          { name: 'edit', input: { file_path: path, old_string: line, new_string: `${line}T ${taskId}\n` } },
          ...(random(0, 2) === 0
            ? [
                { name: 'git', input: { args: random(0, 1) === 0 ? ['add', '-A'] : ['add', path] } },
                { name: 'git', input: { args: ['commit', '-m', `Edit ${path}`] } },
              ]
            : []),
        ];
      });
      if (wish.makesFile) {
        script.push({ name: 'write', input: { file_path: `new/${taskId}.txt`, content: `T ${taskId}\n` } });
      }
      const latency = random(0, 1) === 0 ? '' : ` [[latency:${random(5, 120)}]]`;
      await fleet.tasks.add(
        {
          description: `Play ${taskId}${latency}`,
          workspace: 'site',
          data: { script: script.map((call) => ({ ...call })) },
        },
        { taskId },
      );
    };

    const editAsPerson = async (): Promise<void> => {
      edits += 1;
      const path = pick(FILES);
      const lines = (await readFile(join(site, path), 'utf8')).split('\n');
      const line = `P ${edits}`;
      lines.splice(random(0, lines.length - 1), 0, line);
      await writeFile(join(site, path), lines.join('\n'));
      personLines.get(path)?.add(line);
      const then = random(0, 4);
      if (then <= 1) runGit(site, 'commit', '-q', '-m', `Person ${edits}`, '--', path);
      if (then === 2) runGit(site, 'add', path);
      if (then === 3 && random(0, 1) === 0) {
        personFiles.set(`new/person-${edits}.txt`, `P ${edits}\n`);
        await mkdir(join(site, 'new'), { recursive: true });
        await writeFile(join(site, `new/person-${edits}.txt`), `P ${edits}\n`);
      }
    };

    const killWorker = async (): Promise<void> => {
      const i = random(0, 1);
      await workers[i]?.end('SIGKILL');
      workers[i] = await startWorker();
    };

    const open = async (): Promise<string[]> =>
      (await fleet.patches.list()).map(({ taskId }) => taskId).filter((id) => wishes.has(id));

    const applySome = async (): Promise<void> => {
      const ids = (await open()).slice(0, random(1, 3));
      if (ids.length === 0) return;
      const way = random(0, 1) === 0 ? [] : ['--3way'];
      if (random(0, 2) === 0) {
        const command = startFleet(['apply', ...ids, ...way, '--json'], env);
        await sleep(random(200, 1_500)); // the random part: it waits for no condition
        if (command.child.pid !== undefined && command.child.exitCode === null)
          process.kill(-command.child.pid, 'SIGKILL');
        await command.done;
      }
      await fleet.patches.apply({ ids, threeWay: way.length > 0 }); // completes what a killed one began
      await compare();
    };

    const discardOne = async (): Promise<void> => {
      const [id] = await open();
      if (id !== undefined) await fleet.patches.discard({ ids: [id] });
    };

    const undoOne = async (): Promise<void> => {
      const [id] = [...inTree];
      if (id === undefined) return;
      await fleet.patches.undo([id]);
      await compare();
    };

    /** Brings the books up to date by the records, and checks every byte of the person's tree against them. */
    const compare = async (): Promise<void> => {
      inTree.clear();
      for (const id of wishes.keys()) {
        const record = await fleet.patches.get(id);
        if (record?.state === 'applied') inTree.add(id);
        if (record !== null)
          changed.set(
            id,
            record.changes.map(({ path }) => path),
          );
      }
      for (const path of FILES) {
        const lines = (await readFile(join(site, path), 'utf8')).split('\n');
        const theirs = lines.filter((line) => line.startsWith('P '));
        const tasks = lines.filter((line) => line.startsWith('T '));
        const wanted = [...inTree].filter((id) => changed.get(id)?.includes(path)).map((id) => `T ${id}`);
        expect(new Set(theirs), `the person's lines of ${path}`).toEqual(personLines.get(path));
        expect(tasks.toSorted(), `the tasks' lines of ${path}`).toEqual(wanted.toSorted());
        expect(lines.filter((line) => line !== '' && !/^[PT] /.test(line)).join('\n')).toBe(start(path).trimEnd());
      }
      for (const [path, text] of personFiles) expect(await readFile(join(site, path), 'utf8')).toBe(text);
      for (const id of wishes.keys()) {
        const isThere = existsSync(join(site, `new/${id}.txt`));
        expect(isThere, `new/${id}.txt`).toBe(inTree.has(id) && changed.get(id)?.includes(`new/${id}.txt`) === true);
      }
    };

    for (let run = 1; run <= RUNS; run += 1) {
      const kind = random(1, 20);
      if (kind <= 9) await addTask(run);
      else if (kind <= 13) await editAsPerson();
      else if (kind <= 14) await killWorker();
      else if (kind <= 17) await applySome();
      else if (kind <= 18) await undoOne();
      else if (kind <= 19) await discardOne();
      else await runFleet(['worktrees', '--prune'], env);
    }

    const isDone = async (): Promise<boolean> => {
      const counts = await fleet.queue.getJobCounts('completed', 'failed');
      return (counts['completed'] ?? 0) + (counts['failed'] ?? 0) === wishes.size;
    };
    await waitUntil(isDone, { timeoutMs: 90_000, what: 'the end of every task' });
    const failed = await fleet.queue.getFailed();
    // Three deaths without a stored turn in between cause quarantine, also if they were chance.
    expect(failed.map((job) => job.failedReason).filter((reason) => !reason?.startsWith('quarantined: '))).toEqual([]);
    await fleet.patches.apply({ ids: await open() });
    await compare();

    // Every patch is what its task changed, and no commit of the fleet holds a byte of anybody else's.
    for (const [id, wish] of wishes) {
      const record = await fleet.patches.get(id);
      if (record === null || record.state === 'discarded') continue;
      const text = String((await fleet.patches.diff(id)) ?? '');
      const lines = text.split('\n').filter((line) => /^[-+](?![-+])/.test(line));
      expect(lines, `the patch of ${id}`).toEqual(record.changes.map(() => `+T ${id}`));
      const refused = wish.files.length + (wish.makesFile ? 1 : 0) - record.changes.length;
      const finding = await fleet.findings.get(record.findingId);
      expect(finding?.tool_errors?.failed ?? 0, `${id} tells what it could not change`).toBeGreaterThanOrEqual(refused);
    }
    const log = runGit(site, 'log', '-p', '--reverse', '--format=COMMIT %an %s', `${firstCommit}..HEAD`);
    for (const commit of log.split(/^COMMIT /m).slice(1)) {
      if (commit.startsWith('Person ')) {
        expect(commit).not.toMatch(/^[-+]T /m);
        continue;
      }
      expect(commit).not.toMatch(/^[-+]P /m);
      expect(new Set(commit.match(/^[-+]T .*$/gm)?.map((line) => line.slice(3))).size).toBe(1);
    }
    runGit(site, 'fsck', '--strict');
    expect(existsSync(join(site, '.git/index.lock'))).toBe(false);

    // What is applied or discarded leaves no tree, and what waits keeps its branch.
    const waiting = new Set(await open());
    const branches = runGit(site, 'branch', '--format=%(refname:short)', '--list', 'fleet/*')
      .split('\n')
      .filter(Boolean);
    expect(new Set(branches.filter((name) => waiting.has(name.slice('fleet/'.length)))).size).toBe(waiting.size);
    const worktrees = join(redis.folder, redis.swarm, 'worktrees');
    const stays = new Set([...waiting, ...failed.map((job) => job.id)]);
    const listEnded = async (): Promise<string[]> =>
      (await readdir(worktrees).catch(() => []))
        .filter((name) => !name.startsWith('.')) // half made by a killed worker: they go after half an hour
        .filter((name) => !stays.has(name.slice(0, name.lastIndexOf('.'))));
    await waitUntil(async () => (await listEnded()).length === 0, {
      timeoutMs: 60_000,
      orElse: () => true,
    });
    expect(await listEnded(), 'trees of applied and discarded patches').toEqual([]);
    await rm(worktrees, { recursive: true, force: true });
  },
);
