import { describeTrees, isOverBound } from '../../patches/sweep/tree-hosts.ts';
import { describeKeyConflict } from '../../librarian/opening/shard-keys.ts';
import { formatUsd } from '../../pricing/money.ts';
import { toOneLine } from '../../text/one-line.ts';
import { describeForeign } from '../../swarm/damage/foreign-keys.ts';
import { describeSkew } from '../../swarm/host-clocks.ts';
import { countOf } from '../../text/plural.ts';
import type { Notice, StatusSnapshot } from '../types.ts';
import { describeCompaction } from '../read/compaction.ts';

/** Other swarms that could not be read: nothing stops for them, and answers leave them out. */
export function refusedSwarms({ otherSwarms }: StatusSnapshot): Notice[] {
  return otherSwarms.flatMap(({ refused }) =>
    refused === null
      ? []
      : [
          {
            kind: 'other-swarm',
            level: 'warning',
            label: 'Other swarm',
            text: toOneLine(refused.message),
            hint: 'fleet doctor',
          },
        ],
  );
}

export function coolingModels({ cooling, uncertain }: StatusSnapshot): Notice[] {
  const notice = { kind: 'cooling', level: 'warning', label: 'Cooling' } as const;
  const [forMoney, forProvider] = [true, false].map((wanted) =>
    cooling.filter(({ isForMoney }) => isForMoney === wanted),
  );
  const toWait = ({ model, forMs }: StatusSnapshot['cooling'][number]): string =>
    `${model} for ${Math.ceil(forMs / 1_000)} s`;
  const notices: Notice[] = [];
  if (forProvider !== undefined && forProvider.length > 0) {
    notices.push({ ...notice, text: forProvider.map(toWait).join(' | '), hint: 'waits for its provider' });
  }
  if (forMoney !== undefined && forMoney.length > 0) {
    const models = forMoney.map(({ model }) => model).join(', ');
    const cost = `uncertain cost of ${formatUsd(uncertain.todayNanoUsd, 4)} fills the day's budget`;
    const hint = 'settle it with fleet budget --settle-uncertain';
    notices.push({ ...notice, text: `${models}: ${cost}`, command: 'fleet costs --uncertain', hint });
  }
  return notices;
}

export function fullArchive(snapshot: StatusSnapshot): Notice[] {
  const text = describeCompaction(snapshot);
  return text === null ? [] : [{ kind: 'archive', level: 'warning', label: 'Archive', text: toOneLine(text) }];
}

export function manyTrees({ treeHosts }: StatusSnapshot): Notice[] {
  const tooMany = treeHosts.filter(isOverBound);
  if (tooMany.length === 0) return [];
  const text = tooMany.map(describeTrees).join(' | ');
  const hint = 'lists those of its host, and why each stays';
  return [
    { kind: 'trees', level: 'warning', label: 'Task trees', text: toOneLine(text), command: 'fleet worktrees', hint },
  ];
}

export function counted({ counters }: StatusSnapshot): Notice[] {
  const { recoveries = 0, ...others } = counters;
  const rest = Object.entries(others)
    .filter(([name]) => !name.startsWith('failed_')) // the notice `failures` counts these, without the repaired ones
    .map(([name, count]) => `${name.replaceAll('_', ' ')}: ${count}`);
  const notice = { kind: 'counters', level: 'info', hint: 'since the swarm began' } as const;
  return [
    ...(recoveries === 0 ? [] : [{ ...notice, label: 'Recoveries', text: String(recoveries) }]),
    ...(rest.length === 0 ? [] : [{ ...notice, label: 'Counted', text: rest.join(' | ') }]),
  ];
}

/** What depends on a public key waits or is kept apart. Where all jobs need a private one, the fleet halts with its name. */
export function foreignKeys({ foreignKeys: found }: StatusSnapshot): Notice[] {
  const [first] = found;
  if (first === undefined) return [];
  const items = found.map((foreign) => ({ text: describeForeign(foreign), command: foreign.command }));
  const text = items.map((item) => item.text).join(' | ');
  const hint = 'mends it: yours to decide';
  const { command } = first;
  return [{ kind: 'foreign', level: 'warning', label: 'Wrong keys', text, command, hint, items }];
}

export function unreadableFindings({ unreadableFindings: count }: StatusSnapshot): Notice[] {
  if (count === 0) return [];
  const text = `${countOf(count, 'finding')} of other programs`;
  const command = 'fleet findings --unreadable';
  return [{ kind: 'unreadable', level: 'warning', label: 'Unreadable', text, command, hint: 'lists them' }];
}

/** Their calls would be counted as one quota, so that only the librarians with the key of the last start ask. */
export function keyConflicts({ keyConflicts: found }: StatusSnapshot): Notice[] {
  if (found.length === 0) return [];
  const text = toOneLine(found.map(describeKeyConflict).join(' | '), 600);
  const hint = 'on the wrong host, once its key is the same';
  return [{ kind: 'shard-keys', level: 'warning', label: 'Shard keys', text, command: 'fleet reload', hint }];
}

/** Old workers that the terminal names; further ones are only counted. */
const NAMED_OLD_WORKERS = 3;

export function oldWorkers({ oldWorkers: found }: StatusSnapshot): Notice[] {
  if (found.length === 0) return [];
  const named = found.slice(0, NAMED_OLD_WORKERS).map(({ id }) => toOneLine(id, 60));
  const more = found.length > named.length ? [`and ${found.length - named.length} more`] : [];
  const text = `${found.length} of other programs (${[...named, ...more].join(', ')})`;
  return [{ kind: 'old-workers', level: 'info', label: 'Old workers', text }];
}

/** The fleet goes by Redis' clock: a wrong one only makes the host's logs hard to read. */
export function wrongClocks({ hostClocks }: StatusSnapshot): Notice[] {
  if (hostClocks.length === 0) return [];
  const hosts = hostClocks.map(({ host, skewMs }) => `clock of ${toOneLine(host)} is ${describeSkew(skewMs)}`);
  const text = `⚠ ${hosts.join(' | ')}: set it with NTP; the fleet goes by Redis' clock`;
  return [{ kind: 'clock', level: 'warning', label: 'Clock', text }];
}
