import { countOf } from '../../../text/plural.ts';
import { UsageError } from '../../../errors.ts';
import { beginSession } from '../../../swarm/session.ts';
import { printJson } from '../../output/print.ts';
import { withFleet } from '../../input/with-fleet.ts';

/** Does `fleet session`. */
export async function runSessionCommand(name: string | undefined, options: { json?: boolean }): Promise<void> {
  if (name !== undefined) checkSessionName(name);
  await withFleet(async ({ inner: { db } }) => {
    const { redis, keys } = db;
    const session = await beginSession(db, name ?? '');
    const state = await redis.hgetall(keys.session);
    const { startedAt = '', findings = '0' } = state;
    if (options.json) return printJson({ name: session, startedAt, findings: Number(findings) });
    console.log(
      name === undefined
        ? `Session ${session} began ${startedAt} and has ${countOf(Number(findings), 'finding')}.`
        : `Session ${session} began; costs count from zero.`,
    );
  });
}

function checkSessionName(name: string): void {
  if (/^[^\s:{}]{1,100}$/.test(name)) return;
  throw new UsageError(`session: expected a name without white space, colon or brace, got ${JSON.stringify(name)}`);
}
