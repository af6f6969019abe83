import { createHash } from 'node:crypto';
import { createFindingStore } from '../../src/findings/store.ts';
import { DEFAULT_BUDGET_NANO_USD } from '../../src/ledger/budget.ts';
import { listNewestPatches } from '../../src/patches/select.ts';
import { catalogOf } from '../../src/pricing/catalog.ts';
import { toNanoUsd } from '../../src/pricing/money.ts';
import { toVendorName } from '../../src/pricing/vendor-name.ts';
import type { Config } from '../../src/config/environment.ts';
import type { Db } from '../../src/redis/db.ts';
import { describeCompaction } from '../../src/status/read/compaction.ts';
import { delegationOf, totalNanoUsd } from '../../src/status/read/delegation.ts';
import { noticesOf } from '../../src/status/notices/notices.ts';
import { readStatus } from '../../src/status/read/snapshot.ts';
import { choicesOf } from '../../src/status/render/halt-choices.ts';
import type { StatusSnapshot } from '../../src/status/types.ts';
import { adviceFor } from '../../src/tasks/repair/advice.ts';
import { toPatchRow } from '../patches/describe-patch.ts';
import { createCachedRead } from './cached-read.ts';
import { toFindingRow } from './finding-row.ts';

const KEPT_MS = 500;
/** Patches that the overview names. */
const PATCHES_NAMED = 5;
/** Findings that the overview names. */
const FINDINGS_NAMED = 10;

export type OverviewReads = ReturnType<typeof createOverviewReads>;

/**
 * Creates the reads of the fleet's state, which all pages, streams and `/metrics` share. Their Redis commands do not depend on
 * how much waits or was found.
 */
export function createOverviewReads({
  db,
  config,
  inTime,
}: {
  db: Db;
  config: Config;
  /** Rejects if Redis takes too long: no page waits for a frozen one. */
  inTime: <T>(work: Promise<T>) => Promise<T>;
}) {
  const findings = createFindingStore(db);
  const defaultDayLimitNanoUsd =
    config.FLEET_BUDGET_USD === undefined ? DEFAULT_BUDGET_NANO_USD : toNanoUsd(config.FLEET_BUDGET_USD);
  const options = {
    shards: config.shards,
    coordinatorModel: config.FLEET_COORDINATOR_MODEL,
    workerModel: config.FLEET_HAIKU_MODEL,
    catalog: catalogOf(config),
    defaultDayLimitNanoUsd,
  };
  const cached = createCachedRead(
    () => inTime(Promise.all([readStatus(db, options), listNewestPatches(db, PATCHES_NAMED)])),
    KEPT_MS,
  );
  const snapshot = async (): Promise<StatusSnapshot> => (await cached.read())[0];

  let newest: { counts: string; rows: ReturnType<typeof toFindingRow>[] } = { counts: '', rows: [] };
  /** Whole findings may be large: they are read again only when a count has changed. */
  async function readNewest({ findings: { live, sinceSession }, patches }: StatusSnapshot) {
    const counts = `${live} ${sinceSession} ${patches.pending} ${patches.conflict}`; // a row names the state of its patch
    if (newest.counts !== counts) {
      const found = await inTime(findings.list({ limit: FINDINGS_NAMED }));
      newest = { counts, rows: found.map(toFindingRow) };
    }
    return newest.rows;
  }

  /** The status as JSON for pages and programs: the snapshot, with what a page shows beside it. `version`: another where anything but its time differs. */
  async function overview() {
    const [status, newestPatches] = await cached.read();
    const shown = {
      ...status,
      failed: status.failed.map((group) => ({
        ...group,
        repair: adviceFor(group.reason, {
          isQuestion: group.queue === 'archive',
          isMission: group.queue === 'missions',
        }),
      })),
      totalNanoUsd: totalNanoUsd(status),
      vendorNames: Object.fromEntries(Object.keys(status.spend).map((vendor) => [vendor, toVendorName(vendor)])),
      delegation: delegationOf(status),
      choices: status.halt === null ? [] : choicesOf(status.halt),
      archiveNotice: describeCompaction(status),
      notices: noticesOf(status),
      newestPatches: newestPatches.map(toPatchRow),
      newestFindings: await readNewest(status),
    };
    return { ...shown, version: digest({ ...shown, at: '' }) };
  }

  return { snapshot, overview, forget: cached.forget };
}

function digest(shown: object): string {
  return createHash('sha1').update(JSON.stringify(shown)).digest('base64url');
}
