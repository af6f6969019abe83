import { countOf } from '../../../text/plural.ts';
import { settleCalls, type VerdictWord } from '../../../coordinator/control/settle-calls.ts';
import { NotFoundError, UsageError } from '../../../errors.ts';
import { readHalt } from '../../../halt/halt.ts';
import { readUncertain, type UncertainCall } from '../../../ledger/uncertain/list.ts';
import { formatUsd } from '../../../pricing/money.ts';
import { currentUser } from '../../../swarm/current-user.ts';
import { withFleet } from '../../input/with-fleet.ts';
import { printJson } from '../../output/print.ts';

export interface SettleOptions {
  /** Name of a call, id of its reservation, or id of its job. True: none was given. */
  settleUncertain?: string | true;
  all?: boolean;
  why?: string;
  json?: boolean;
}

/** Does `fleet budget --settle-uncertain`. */
export async function runSettleUncertain(verdict: VerdictWord | null, options: SettleOptions): Promise<void> {
  const { settleUncertain: name, all = false, why = '' } = options;
  if (verdict === null) throw new UsageError('budget --settle-uncertain: expected paid or unpaid');
  if (all === (typeof name === 'string')) throw new UsageError('budget --settle-uncertain: expected a call, or --all');
  if (why.trim() === '') throw new UsageError('budget --settle-uncertain: expected --why "how you know"');
  await withFleet(async (fleet) => {
    const { db } = fleet.inner;
    const uncertain = await readUncertain(db);
    const calls = typeof name === 'string' ? pick(uncertain, name) : uncertain;
    const said = { verdict, by: currentUser(), why };
    const { settled, nanoUsd, released } = await settleCalls(fleet.inner, calls, said);
    if (options.json) return printJson({ settled: settled.map(({ id }) => id), verdict, nanoUsd, released });
    const effect = verdict === 'paid' ? 'is booked' : 'counts no longer against any budget';
    console.log(`Settled as ${verdict}: ${countOf(settled.length, 'call')}, ${formatUsd(nanoUsd, 4)} ${effect}`);
    if (released > 0) console.log(`Released: ${countOf(released, 'parked job')}, waiting for a worker again`);
    if ((await readHalt(db))?.reason === 'budget') {
      console.log('The fleet is halted for its budget: fleet resume goes on');
    }
  });
}

/** @throws NotFoundError, or UsageError for a name that two calls share */
function pick(calls: readonly UncertainCall[], name: string): UncertainCall[] {
  const ofJob = calls.filter(({ jobId }) => jobId === name);
  if (ofJob.length > 0) return ofJob;
  const found = calls.filter((call) => call.id === name || call.name === name);
  if (found.length === 0) {
    throw new NotFoundError(`call ${name}: its cost is not uncertain; fleet costs --uncertain lists the calls`);
  }
  if (found.length > 1) {
    throw new UsageError(
      `call ${name}: several are named so: ${found.map(({ id }) => id).join(', ')}; give the whole id`,
    );
  }
  return found;
}
