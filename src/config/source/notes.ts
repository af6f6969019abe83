/** Something about the configuration that a person should look at, although the fleet starts with it. */
export interface ConfigNote {
  /** Of the variable. */
  name: string;
  /** Follows the name: `is no variable of this fleet`. */
  seen: string;
  fix: string;
}

/** One sentence for each note, as a start prints it. */
export function describeNotes(notes: readonly ConfigNote[]): string[] {
  return notes.map(({ name, seen, fix }) => `${name} ${seen}: ${fix}`);
}
