import { UsageError } from '../../../errors.ts';
import type { OpenFleet } from '../../../api/open-fleet.ts';
import { followActivity, HAPPENINGS, type Happening } from '../../../swarm/follow-activity.ts';
import type { ActivityQuery } from '../../../swarm/types.ts';
import { escapeControls } from '../../../text/without-controls.ts';
import { fitLine, lineWidth, toMarks } from '../../output/print.ts';
import { toSince } from '../../input/since.ts';
import { withFleet } from '../../input/with-fleet.ts';

export interface MonitorOptions {
  since?: string;
  follow: boolean;
  what?: string;
  batch?: string;
  mission?: string;
  worker?: string;
  json?: boolean;
}

/** Does `fleet monitor`. */
export async function runMonitorCommand(options: MonitorOptions): Promise<void> {
  if (!options.follow && options.since === undefined) {
    throw new UsageError('--no-follow: expected --since beside it, which says what to show');
  }
  const what = options.what === undefined ? [] : toKinds(options.what);
  await withFleet((fleet) => follow(fleet, options, what));
}

async function follow({ inner }: OpenFleet, options: MonitorOptions, what: string[]): Promise<void> {
  const { db, config } = inner;
  const never = new AbortController().signal; // until Ctrl-C
  const log = {
    warn: () => console.error('Redis is not reachable; what happens meanwhile is shown when it is back'),
    info: () => console.error('Redis is back'),
  };
  const today = toDay(db.clock.date());
  let day = today;
  for await (const event of followActivity(
    { db, url: config.REDIS_URL, log },
    toQuery(options, what, db.clock.now()),
    never,
  )) {
    if (options.json) {
      const { finding: _, text: summary, ...rest } = event;
      console.log(escapeControls(JSON.stringify({ ...rest, summary })));
      continue;
    }
    const at = new Date(event.at);
    if (toDay(at) !== day) console.log(`— ${toDay(at)} —`);
    day = toDay(at);
    console.log(renderLine(event, at));
  }
}

function toQuery(
  { since, follow: follows, batch, mission, worker }: MonitorOptions,
  what: string[],
  now: number,
): ActivityQuery {
  return {
    follow: follows,
    what,
    ...(since === undefined ? {} : { since: toSince(since, now) }),
    ...(batch === undefined ? {} : { batch }),
    ...(mission === undefined ? {} : { mission }),
    ...(worker === undefined ? {} : { worker }),
  };
}

/** @throws UsageError for a kind that does not exist */
function toKinds(text: string): string[] {
  const kinds = text
    .split(',')
    .map((kind) => kind.trim())
    .filter((kind) => kind !== '');
  const known: readonly string[] = HAPPENINGS;
  const unknown = kinds.find((kind) => !known.includes(kind));
  if (kinds.length > 0 && unknown === undefined) return kinds;
  throw new UsageError(`--what: expected some of ${HAPPENINGS.join(', ')}, got ${JSON.stringify(unknown ?? text)}`);
}

/** `10:15:00  finding       finding_8f3a…  what was found`. */
function renderLine({ what, id, text, finding }: Happening, at: Date): string {
  const head = `${at.toTimeString().slice(0, 8)}  ${fitLine(what, 15).padEnd(15)}  ${fitLine(id, 40).padEnd(28)}  `;
  const marks = finding === null ? '' : toMarks(finding);
  return (head + fitLine(marks + text, Math.max(30, lineWidth() - head.length))).trimEnd();
}

/** Local day, `2026-11-26`. */
function toDay(instant: Date): string {
  const [month, day] = [instant.getMonth() + 1, instant.getDate()].map((part) => String(part).padStart(2, '0'));
  return `${instant.getFullYear()}-${month}-${day}`;
}
