import { UsageError } from '../../../errors.ts';
import { createHaltSwitch } from '../../../halt/halt.ts';
import type { Halt } from '../../../halt/types.ts';
import { createNotifier } from '../../../swarm/notify.ts';
import { choicesOf } from '../../../status/render/halt-choices.ts';
import { withFleet, currentUser } from '../../input/with-fleet.ts';

/** Does `fleet halt`. */
export async function runHaltCommand(words: string[]): Promise<void> {
  const detail = words.join(' ').trim();
  if (detail === '') throw new UsageError('halt: expected a reason');
  await withFleet(async ({ inner: { db, config, queues } }) => {
    const notifier = createNotifier({ target: config.FLEET_NOTIFY, db });
    const halt = createHaltSwitch(db, Object.values(queues), { notifier });
    const first = await halt.halt({ reason: 'person', step: '', by: currentUser(), detail });
    await notifier.flush();
    if (first) return console.log('Halted. Nothing is lost: `fleet resume` goes on.');
    const stated = await halt.read();
    if (stated === null) throw new UsageError('halt: another person lifted a halt at the same moment; call it again');
    await halt.enforce(); // pauses again a queue that a person resumed in Bull Board
    console.log(describeExisting(stated));
  });
}

/** The halt that is in force already, and the ways to end it. */
function describeExisting(halt: Halt): string {
  const since = halt.at === '' ? '' : ` since ${halt.at}`;
  const by = halt.by === '' ? '' : ` by ${halt.by}`;
  const detail = halt.detail === '' ? '' : ` (${halt.detail})`;
  return [
    `Already halted${since}${by}: ${halt.reason}${detail}`,
    'That halt stays as it is; your reason is not noted.',
    ...choicesOf(halt).map((choice) => `  ➜ ${choice.what}: ${choice.command}`),
  ].join('\n');
}
