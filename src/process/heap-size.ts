import { setFlagsFromString } from 'node:v8';

let isSmall = false;
let growing = 0;

/** Keeps the heap of this process small, at the cost of more frequent collections. */
export function keepHeapSmall(): void {
  isSmall = true;
  setFlagsFromString('--optimize-for-size');
}

/**
 * Lets the heap grow freely while `work` fills it with what stays: a small heap is collected whole each time it has grown a little, which
 * takes longer than the work itself. Afterwards the next collections make it small again.
 */
export async function whileHeapGrows<Result>(work: () => Promise<Result>): Promise<Result> {
  if (!isSmall) return work();
  growing += 1;
  setFlagsFromString('--no-optimize-for-size');
  try {
    return await work();
  } finally {
    growing -= 1;
    if (growing === 0) setFlagsFromString('--optimize-for-size');
  }
}
