import type { ReplyBlock } from '../src/models/format.ts';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Model } from '../src/models/model.ts';

/** Creates a model in this process, without HTTP, so that a benchmark measures only the fleet. @param latencyMs 0: replies at once */
export function createInstantModel(latencyMs = 0): Model & { inFlight(): number; peak(): number } {
  let inFlight = 0;
  let peak = 0;
  const content = [{ type: 'text', text: 'done' }] as ReplyBlock[];
  return {
    limitKeyOf: () => 'bench', // the pacer is part of what is measured
    inFlight: () => inFlight,
    peak: () => peak,
    async call(request) {
      inFlight += 1;
      peak = Math.max(peak, inFlight);
      if (latencyMs > 0) await sleep(latencyMs);
      inFlight -= 1;
      return {
        id: 'msg_bench',
        model: request.model,
        content,
        stopReason: 'end_turn',
        usage: { input: 500, cache_write: 0, cache_read: 0, output: 20 },
      };
    },
    countTokens: async () => null,
  };
}
