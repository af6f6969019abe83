import type { StoredFinding } from '../../findings/types.ts';
import { stringifyExact } from '../../text/exact-json.ts';

/** The result of a finding as text: JSON with its numbers as they were written. */
export function toResultText({ result }: StoredFinding): string {
  if (typeof result === 'string') return result;
  try {
    return stringifyExact(result ?? null, 1);
  } catch (error) {
    if (error instanceof RangeError) return '(nested too deeply to show: fleet findings export holds it)';
    throw error;
  }
}
