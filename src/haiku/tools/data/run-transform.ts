import { createOffLoop, OffLoopLimitError } from '../../../process/off-loop.ts';
import { ToolRefusal } from '../tool-refusal.ts';
import type { CsvRequest, JsonRequest, Transformed } from './transform.ts';

export interface Transformer {
  /** @throws ToolRefusal of the transform, and at a limit of time or memory */
  csv(request: CsvRequest, signal: AbortSignal): Promise<Transformed>;
  /** @throws ToolRefusal of the transform, and at a limit of time or memory */
  json(request: JsonRequest, signal: AbortSignal): Promise<Transformed>;
}

/** Creates what transforms in another process, so that no data of a task blocks this one. */
export function createTransformer(limits: { deadlineMs: number; memoryMb: number }): Transformer {
  const module = new URL('transform.ts', import.meta.url);
  const offLoop = createOffLoop({ module, memoryMb: limits.memoryMb });

  async function run(name: string, request: CsvRequest | JsonRequest, signal: AbortSignal): Promise<Transformed> {
    try {
      return await offLoop.run<Transformed>(name, request, { deadlineMs: limits.deadlineMs, signal });
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      if (error.name === 'ToolRefusal') throw new ToolRefusal(error.message, { cause: error });
      if (!(error instanceof OffLoopLimitError)) throw error;
      const rule = `${request.name}: ${error.message}; keep fewer rows or fields, or split the data`;
      throw new ToolRefusal(rule, { cause: error });
    }
  }

  return {
    csv: (request, signal) => run('transformCsv', request, signal),
    json: (request, signal) => run('transformJson', request, signal),
  };
}

/** For the tools of all tasks of this process. The largest file that they read fits in the memory. */
export const transformer = createTransformer({ deadlineMs: 60_000, memoryMb: 768 });
