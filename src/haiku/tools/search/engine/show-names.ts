const MOST_NAMES = 10;

/** The first names, and how many there are besides. */
export function showNames(names: readonly string[], most = MOST_NAMES): string {
  const rest = names.length - most;
  return [...names.slice(0, most), ...(rest > 0 ? [`and ${rest} more`] : [])].join(', ');
}
