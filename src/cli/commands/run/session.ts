import { countOf } from '../../../text/plural.ts';
import { assertSessionName, readSession, startSession } from '../../../swarm/session.ts';
import { printJson } from '../../output/print.ts';
import { assertMeant } from '../../input/meant-words.ts';
import { withFleet } from '../../input/with-fleet.ts';

/** Does `fleet session`. */
export async function runSessionCommand(name: string | undefined, options: { json?: boolean }): Promise<void> {
  if (name !== undefined) {
    assertSessionName(name);
    await assertMeant(name, {
      command: 'session',
      as: 'the name of a new session',
      effect: 'costs count from zero',
      instead: ['fleet session', 'fleet sessions'],
      isName: true,
    });
  }
  await withFleet(async ({ inner: { db, assertMayAdd } }) => {
    if (name !== undefined) await assertMayAdd();
    const { session, hasBegun } =
      name === undefined ? { session: await readSession(db), hasBegun: false } : await startSession(db, name);
    if (options.json) return printJson(session);
    if (hasBegun) return console.log(`Session ${session.name} began; costs count from zero.`);
    const facts = `began ${session.startedAt} and has ${countOf(session.findings, 'finding')}`;
    console.log(
      name === undefined
        ? `Session ${session.name} ${facts}.`
        : `Session ${session.name} is in force already: it ${facts}. Nothing was changed.`,
    );
  });
}
