import { readBridge } from '../bridge/read-bridge.ts';
import type { Config } from '../config/environment.ts';
import { SwarmRefusedError } from '../errors.ts';
import { describeHalt, readHalt } from '../halt/halt.ts';
import { readSchedulers } from '../jobs/state/schedulers.ts';
import type { Scheduler } from '../jobs/state/types.ts';
import { describeKeyConflict, readShardKeyConflicts } from '../librarian/opening/shard-keys.ts';
import { openOtherSwarms } from '../other-swarms/open-other-swarms.ts';
import { readSharing } from '../other-swarms/sharing.ts';
import { describeTrees, isOverBound, parseTreeHosts } from '../patches/sweep/tree-hosts.ts';
import type { Db } from '../redis/db.ts';
import { choicesOf } from '../status/render/halt-choices.ts';
import { toOneLine } from '../text/one-line.ts';
import { countOf } from '../text/plural.ts';
import { attempt, unwell, well, type CheckResult } from './check.ts';

const MIB = 1024 * 1024;

/** Whether the fleet is halted: then nothing is worked until a person lifts the halt. */
export async function checkHalt(db: Db): Promise<CheckResult> {
  const halt = await readHalt(db);
  if (halt === null) return well('halt', 'none');
  const since = halt.at === '' ? '' : ` since ${halt.at}`;
  const by = halt.by === '' ? '' : ` by ${halt.by}`;
  const ways = choicesOf(halt).map(({ what, command }) => `${what}: ${command}`);
  return unwell('halt', toOneLine(`the fleet is halted${since}${by}: ${describeHalt(halt)}`), ways.join('; '));
}

/** Names the job schedulers of other programs, which add paid work while nobody looks. They are no fault. */
export async function checkSchedulers(db: Db): Promise<CheckResult> {
  const found = await readSchedulers(db);
  const next = ({ nextAt }: Scheduler): string => (nextAt === null ? '' : `, next at ${nextAt}`);
  const lines = found.map((one) => `${one.id} on ${one.queue}: ${one.when}${next(one)}`);
  return well('schedulers', lines.length === 0 ? 'none' : `of other programs: ${lines.join('; ')}`);
}

/** Whether the bridge that this environment wants is up. Nothing where it wants none. */
export async function checkBridge(db: Db, { FLEET_BRIDGE }: Pick<Config, 'FLEET_BRIDGE'>): Promise<CheckResult[]> {
  if (FLEET_BRIDGE !== '1') return [];
  const { up, older, held } = await readBridge(db);
  if (up.length === 0) {
    return [
      unwell(
        'bridge',
        'FLEET_BRIDGE is 1, and no bridge is up: tasks of other programs wait',
        'fleet up, or fleet reload',
      ),
    ];
  }
  return [well('bridge', `up; ${countOf(older, 'task')} older than it, ${held} held by workers of other programs`)];
}

/** Whether all live librarians have the same key for each shard. */
export async function checkShardKeys(db: Db): Promise<CheckResult> {
  const { redis, keys, clock } = db;
  const found = await readShardKeyConflicts(db, await redis.hgetall(keys.shardKeys), clock.now());
  if (found.length === 0) return well('shard keys', 'the same for every librarian');
  const names = found.map(({ shard }) => `GEMINI_API_KEY_SHARD${shard}`).join(', ');
  const fix = `set ${names} to the same key on all of these hosts, then run fleet reload there`;
  return unwell('shard keys', toOneLine(found.map(describeKeyConflict).join('; '), 600), fix);
}

/** Checks the working trees of tasks on all hosts, as their last sweeps found them. */
export async function checkTrees({ redis, keys, clock }: Db): Promise<CheckResult> {
  const hosts = parseTreeHosts(await redis.hgetall(keys.treeHosts), clock.now());
  const tooMany = hosts.filter(isOverBound);
  if (tooMany.length > 0) {
    const fix =
      'fleet worktrees on that host tells why each stays; apply or discard patches, or raise FLEET_WORKTREES_KEEP';
    return unwell('task trees', tooMany.map(describeTrees).join('; '), fix);
  }
  const trees = hosts.reduce((sum, host) => sum + host.trees, 0);
  const bytes = hosts.reduce((sum, host) => sum + host.bytes, 0);
  return well('task trees', trees === 0 ? 'none' : `${trees}, ${Math.ceil(bytes / MIB)} MiB`);
}

/** Checks each other swarm that this one reads, and whether those that may read this one know it. Nothing where there is neither. */
export async function checkOtherSwarms(db: Db, config: Config): Promise<CheckResult[]> {
  const others = openOtherSwarms({ config, db });
  try {
    const results: CheckResult[] = [];
    for (const name of others.names()) {
      results.push(
        await attempt(`swarm ${name}`, 'mend it as the line says', async () => {
          const { isSimulated } = await others.open(name).catch((error: unknown) => {
            if (error instanceof SwarmRefusedError) error.message = error.message.replace(`swarm ${name} `, '');
            throw error;
          });
          return well(`swarm ${name}`, `its findings are read${isSimulated ? '; its work is SIMULATED' : ''}`);
        }),
      );
    }
    return [...results, ...(await checkSharing(db, config.FLEET_SHARE_WITH))];
  } finally {
    await others.close();
  }
}

/** Processes publish whom they share with when they start. */
async function checkSharing(db: Db, wanted: readonly string[]): Promise<CheckResult[]> {
  const published = await readSharing(db);
  if (wanted.length === 0 && published.length === 0) return [];
  const show = (names: readonly string[]): string => (names.length === 0 ? 'nobody' : names.join(', '));
  const isSame = wanted.length === published.length && wanted.every((name) => published.includes(name));
  if (isSame) return [well('sharing', `findings may be read by ${show(published)}`)];
  const seen = `FLEET_SHARE_WITH names ${show(wanted)}, and the running fleet shares with ${show(published)}`;
  return [unwell('sharing', seen, 'fleet reload')];
}
