import { isObject } from '../../provider-host/json.ts';
import type { Call, Rule } from '../task/types.ts';

/**
 * Plays the tool calls that a test writes into the task's data, one a turn:
 * `{ "script": [{ "name": "edit", "input": { … } }, …] }`. The answer tells which of them failed.
 */
export const script: Rule = ({ task, steps }) => {
  if (!isObject(task.data) || !Array.isArray(task.data['script'])) return null;
  const calls = task.data['script'].flatMap(toCall);
  const played = steps.slice(task.given.length);
  return {
    next(): Call[] {
      const call = calls[played.length];
      return call === undefined ? [] : [call];
    },
    answer() {
      const failed = played.filter(({ isError }) => isError).map(({ name }) => name);
      const text = `Played ${played.length} of ${calls.length} calls${failed.length === 0 ? '' : `; failed: ${failed.join(', ')}`}.`;
      return { text, values: { ok: failed.length === 0, summary: text } };
    },
  };
};

function toCall(value: unknown): Call[] {
  if (!isObject(value) || typeof value['name'] !== 'string' || !isObject(value['input'])) return [];
  return [{ name: value['name'], input: value['input'] }];
}
