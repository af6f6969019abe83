import { UsageError } from '../../../errors.ts';
import { createHaltSwitch } from '../../../halt/halt.ts';
import type { Halt } from '../../../halt/types.ts';
import { createNotifier } from '../../../swarm/notify.ts';
import { choicesOf } from '../../../status/render/halt-choices.ts';
import { printJson } from '../../output/print.ts';
import { assertMeant } from '../../input/meant-words.ts';
import { currentUser } from '../../../swarm/current-user.ts';
import { withFleet } from '../../input/with-fleet.ts';

/** Does `fleet halt`. */
export async function runHaltCommand(words: string[], { json }: { json?: boolean }): Promise<void> {
  const detail = words.join(' ').trim();
  if (detail === '') throw new UsageError('halt: expected a reason');
  await assertMeant(detail, {
    command: 'halt',
    as: 'the reason of a halt',
    effect: 'the whole fleet stops',
    instead: ['fleet status', 'fleet resume'],
    onlyLooking: true,
  });
  await withFleet(
    async ({ inner: { db, config, queues } }) => {
      const notifier = createNotifier({ target: config.FLEET_NOTIFY, db });
      const halt = createHaltSwitch(db, Object.values(queues), { notifier });
      const first = await halt.halt({ reason: 'person', step: '', by: currentUser(), detail });
      await notifier.flush();
      if (first && json !== true) return console.log('Halted. Nothing is lost: `fleet resume` goes on.');
      const stated = await halt.read();
      if (stated === null) throw new UsageError('halt: another person lifted a halt at the same moment; call it again');
      if (!first) await halt.enforce(); // pauses again a queue that a person resumed in Bull Board
      if (json) printJson({ halt: stated, isNew: first });
      else console.log(describeExisting(stated));
    },
    { writesWhenFull: true },
  );
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
