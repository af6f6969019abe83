import type { RouteRow } from '../config/model-rows/types.ts';
import type { CatalogEntry } from '../pricing/catalog.ts';
import { toWindow } from './reply-room.ts';
import type { RouteAsk } from './types.ts';
import { formatCount } from '../text/plural.ts';

/** Why a model may not do a task. */
export interface Obstacle {
  kind: 'vendor' | 'tools' | 'window';
  /** Names the model. */
  text: string;
}

/** Why a route is not for a task; null: it is. */
export function findMisfit(ask: RouteAsk, route: RouteRow, isCheap: boolean): string | null {
  const { kind, minPromptTokens = 0, needs = [], budget } = route;
  if (kind !== undefined && !kind.includes(ask.kind)) return `the task is of kind ${ask.kind}`;
  if (ask.promptTokens < minPromptTokens) return `the prompt has about ${formatCount(ask.promptTokens)} tokens`;
  const missing = needs.filter((need) => !ask.needs.includes(need));
  if (missing.length > 0) return `the task does not need ${missing.join(', ')}`;
  if (budget === 'cheap' && !isCheap) return 'the task does not ask for the cheap budget';
  return null;
}

/**
 * Why a model may not do a task, whatever a route says; null: it may. A schema, thinking and effort are no obstacle: without the
 * ability the fleet checks the reply itself, and asks for no thinking.
 */
export function findObstacle(ask: RouteAsk, entry: CatalogEntry): Obstacle | null {
  const { id, vendor, abilities } = entry;
  if (ask.vendors !== null && !ask.vendors.includes(vendor)) {
    const where = ask.workspace === null ? 'the task' : `workspace ${ask.workspace}`;
    return {
      kind: 'vendor',
      text: `${id} is of ${vendor}, and ${where} allows only ${ask.vendors.join(', ') || 'none'}`,
    };
  }
  if (ask.needs.includes('tools') && !abilities.tools) return { kind: 'tools', text: `${id} can use no tools` };
  const window = toWindow(entry);
  if (ask.promptTokens > window) {
    const text = `${id} holds ${formatCount(window)} tokens beside a reply, and the prompt has about ${formatCount(ask.promptTokens)}`;
    return { kind: 'window', text };
  }
  return null;
}
