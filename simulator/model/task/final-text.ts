import type { JsonObject } from '../../provider-host/json.ts';
import type { Answer, TaskView } from './types.ts';
import { CHARACTERS_PER_TOKEN } from '../../provider-host/tokens.ts';
import { fillSchema, fitsSchema } from '../schema-fill.ts';

const MARK = '(simulated model)';

/** The final answer: JSON for a task with a schema, else text that ends with a mark of the simulator. */
export function toFinalText({ task, directives }: TaskView, answer: Answer, isRepair: boolean): string {
  if (task.schema === null) return pad(answer.text, directives.tokens);
  const isBad = directives.badSchema === 'always' || (directives.badSchema === 'once' && !isRepair);
  if (isBad) return toBadResult(task.schema);
  const summary = pad(answer.text.replaceAll(/\s+/g, ' '), directives.tokens, ' ');
  return JSON.stringify(fillSchema(task.schema, { ...answer.values, summary }));
}

function pad(text: string, tokens: number | null, between = '\n'): string {
  const size = tokens === null ? 0 : tokens * CHARACTERS_PER_TOKEN - MARK.length - 1;
  const lines = [text];
  for (let length = text.length; length < size;) {
    const line = `Padding ${lines.length}, as the task asked for a long answer.`;
    lines.push(line);
    length += line.length + 1;
  }
  return `${lines.join(between)}${between}${MARK}`;
}

/** JSON that breaks the schema; text that is not JSON if every JSON fits it. */
function toBadResult(schema: JsonObject): string {
  const candidates = [{ unexpected: true }, [], 'a text', 0, null];
  const bad = candidates.find((candidate) => !fitsSchema(schema, candidate));
  return bad === undefined ? 'This is not JSON.' : JSON.stringify(bad);
}
