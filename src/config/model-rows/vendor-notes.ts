import { toLikeness } from '../source/likeness.ts';
import type { ConfigNote } from '../source/notes.ts';
import { listVendors } from './vendors.ts';

/** How alike a name must be for it to be the one that was meant. */
const ALIKE = 0.6;

/**
 * Names the vendors of workspaces that no model is of: a misspelt one keeps its own models out, and nothing would say why.
 * @param others names that are allowed besides the vendors whose address the fleet knows
 */
export function findVendorNotes(
  workspaceVendors: Readonly<Record<string, readonly string[]>>,
  others: readonly string[],
): ConfigNote[] {
  const known = [...new Set([...listVendors(), ...others])];
  return Object.entries(workspaceVendors).flatMap(([workspace, vendors]) =>
    vendors
      .filter((vendor) => !known.includes(vendor))
      .map((vendor) => ({
        name: 'FLEET_WORKSPACES',
        seen: `allows vendor ${JSON.stringify(vendor)} in workspace ${workspace}, and no model that is known is of it`,
        fix: describeMeant(vendor, known),
      })),
  );
}

function describeMeant(vendor: string, known: readonly string[]): string {
  const [nearest = ''] = known.toSorted((a, b) => toLikeness(vendor, b) - toLikeness(vendor, a));
  if (toLikeness(vendor, nearest) >= ALIKE) return `did you mean ${nearest}?`;
  return `expected of ${known.join(', ')}, or of a row in models.json`;
}
