import { describeTrees, isOverBound, parseTreeHosts } from '../patches/sweep/tree-hosts.ts';
import type { Db } from '../redis/db.ts';
import { unwell, well, type CheckResult } from './check.ts';

const MIB = 1024 * 1024;

/** Checks the working trees of tasks on all hosts, as their last sweeps found them. */
export async function checkTrees({ redis, keys }: Db): Promise<CheckResult> {
  const hosts = parseTreeHosts(await redis.hgetall(keys.treeHosts), Date.now());
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
