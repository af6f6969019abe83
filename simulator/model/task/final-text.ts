import type { JsonObject } from '../../provider-host/json.ts';
import type { Answer, TaskView } from './types.ts';
import { fillSchema, fitsSchema } from '../schema-fill.ts';

const MARK = '(simulated model)';

/** The final answer: JSON for a task with a schema, else text that ends with a mark of the simulator. */
export function toFinalText({ task, directives, room }: TaskView, answer: Answer, isRepair: boolean): string {
  const size = (directives.tokens ?? 0) * room.charactersPerToken;
  if (task.schema === null) return pad(answer.text, size);
  const isBad = directives.badSchema === 'always' || (directives.badSchema === 'once' && !isRepair);
  if (isBad) return toBadResult(task.schema);
  const summary = pad(answer.text.replaceAll(/\s+/g, ' '), size, ' ');
  return JSON.stringify(fillSchema(task.schema, { ...answer.values, summary }));
}

/** @param size characters that the answer should have at least; 0: as many as it has */
function pad(text: string, size: number, between = '\n'): string {
  const lines = [text];
  for (let length = text.length; length < size - MARK.length - 1;) {
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
