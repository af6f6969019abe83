/** Id of a finding of another swarm, as it is shown and cited here: `ops/finding_8f3a2c1d9e4b`. */
export function toForeignId(swarm: string, id: string): string {
  return `${swarm}/${id}`;
}

/**
 * Reads an id of another swarm's finding: `ops/finding_8f3a2c1d9e4b`, also with `finding:` before it.
 * @returns null: it has another form. Whether the swarm is read here is not checked: a finding of this swarm may have a slash in its id.
 */
export function parseForeignId(text: string): { swarm: string; id: string } | null {
  const [, swarm, id] = /^(?:finding:)?([a-z][a-z0-9-]{0,31})\/(\S.*)$/s.exec(text) ?? [];
  return swarm === undefined || id === undefined ? null : { swarm, id: id.replace(/^finding:/, '') };
}
