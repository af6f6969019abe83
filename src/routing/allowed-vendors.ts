/**
 * The vendors that may see a task: those that its workspace allows, and those that every finding which it stems from allows.
 * @param byWorkspace vendors by name of workspace; one that is not named is open to all
 * @returns null: all vendors may
 */
export function toAllowedVendors(
  { workspace, vendors }: { workspace?: string | undefined; vendors?: readonly string[] | undefined },
  byWorkspace: Readonly<Record<string, readonly string[]>>,
): readonly string[] | null {
  const ofWorkspace =
    workspace !== undefined && Object.hasOwn(byWorkspace, workspace) ? byWorkspace[workspace] : undefined;
  return intersect(ofWorkspace ?? null, vendors ?? null);
}

/** What a job holds of it: a worker on a host whose configuration says nothing of the workspace obeys, too. */
export function toVendorStamp(vendors: readonly string[] | null): { vendors?: string[] } {
  return vendors === null ? {} : { vendors: [...vendors] };
}

/** The stamp of a job that any program may have written: what cannot be read allows none. */
export function readVendorStamp(data: unknown): string[] | undefined {
  const vendors: unknown = Object(data).vendors;
  if (vendors === undefined || vendors === null) return undefined;
  return Array.isArray(vendors) ? vendors.filter((vendor) => typeof vendor === 'string') : [];
}

/** What both allow; null: all vendors. */
export function intersect(a: readonly string[] | null, b: readonly string[] | null): readonly string[] | null {
  if (a === null || b === null) return a ?? b;
  return a.filter((vendor) => b.includes(vendor));
}

/** What all of several configurations allow: one that forbids a vendor is enough. */
export function mergeVendors(
  all: readonly Readonly<Record<string, readonly string[]>>[],
): Record<string, readonly string[]> {
  const merged = Object.create(null) as Record<string, readonly string[]>; // a workspace may have any name
  for (const [name, vendors] of all.flatMap((one) => Object.entries(one))) {
    merged[name] = intersect(merged[name] ?? null, vendors) ?? vendors;
  }
  return merged;
}

/** Whether a model may not see what only these vendors may see: names both. Null: it may. */
export function findVendorProblem(
  { id, vendor }: { id: string; vendor: string },
  vendors: readonly string[] | null,
): string | null {
  return vendors === null || vendors.includes(vendor) ? null : `${id} is of ${vendor}`;
}
