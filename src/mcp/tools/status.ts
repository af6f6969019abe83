import { z } from 'zod';
import { toOneLine } from '../../text/one-line.ts';
import { choicesOf } from '../../status/render/halt-choices.ts';
import { renderCompactStatus } from '../../status/render/status.ts';
import { noticesOf } from '../../status/notices/notices.ts';
import type { StatusSnapshot } from '../../status/types.ts';
import { toMaterial } from '../../text/quoting/material.ts';
import { defineTool, READS } from '../tool/types.ts';
import { costsInput, costsOutput, describeCosts } from '../work/describe-costs.ts';

const MOST_LINES = 20;
const LINE_LENGTH = 200;
/** The newest batches, so that a client that lost its memory finds its work. */
const BATCHES = 5;

/** How the fleet is. */
export const status = defineTool({
  name: 'status',
  title: 'Fleet status',
  description:
    'The fleet in one line, what needs a person and the command for it, the newest batches, open missions and rules. costs: also what was spent',
  needs: 'read',
  hints: READS,
  input: z.strictObject({ costs: costsInput.optional() }),
  output: z.object({
    line: z.string(),
    session: z.string().optional(),
    halted: z.boolean(),
    notices: z.array(z.string()).optional(),
    batches: z.array(z.string()).optional(),
    missions: z.array(z.string()).optional(),
    rules: z.array(z.string()).optional(),
    costs: costsOutput.optional(),
    material: z.string().optional(),
  }),
  async run(call, { costs }) {
    const { fleet } = call;
    const { db } = fleet.inner;
    const [snapshot, batches, report] = await Promise.all([
      fleet.status(),
      db.redis.zrevrange(db.keys.batches, 0, BATCHES - 1),
      costs === undefined ? null : describeCosts(call, costs),
    ]);
    const notices = noticesOf(snapshot).map(({ label, text, command }) =>
      toOneLine(`${label}: ${text}${command === undefined ? '' : ` → ${command}`}`, LINE_LENGTH),
    );
    const missions = snapshot.missions.map(
      ({ id, state, step, tasks }) => `${id} ${state} ${step} ${tasks.done}/${tasks.total}`,
    );
    const rules = snapshot.rules.lines.map(({ name, match, state, fired, parked }) => {
      return toOneLine(
        `${name} ${state}, ${fired} fired${parked === 0 ? '' : `, ${parked} parked`}: ${match}`,
        LINE_LENGTH,
      );
    });
    return {
      line: renderCompactStatus(snapshot),
      ...(snapshot.session.name === null ? {} : { session: snapshot.session.name }),
      halted: snapshot.halt !== null,
      ...(notices.length === 0 ? {} : { notices: notices.slice(0, MOST_LINES) }),
      ...(batches.length === 0 ? {} : { batches }),
      ...(missions.length === 0 ? {} : { missions: missions.slice(0, MOST_LINES) }),
      ...(rules.length === 0 ? {} : { rules: rules.slice(0, MOST_LINES) }),
      ...(report === null ? {} : { costs: report }),
      ...describeHalt(snapshot),
    };
  },
});

/** The words of a halt may be a provider's. */
function describeHalt({ halt }: StatusSnapshot): { material?: string } {
  if (halt === null) return {};
  const ways = choicesOf(halt).map(({ what, command }) => `- ${what}: ${command}`);
  const lines = [`${halt.reason}: ${halt.detail}`, `at ${halt.step}, by ${halt.by}, ${halt.at}`].map((line) =>
    toOneLine(line, 600),
  );
  return { material: toMaterial('the halt; a person ends it', [...lines, ...ways].join('\n')) };
}
