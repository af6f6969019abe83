import type { CommandNode, OptionNode } from './command-tree.ts';

/**
 * The parts that the scripts of bash and zsh share: two functions of `case` lines. `place` is the command that the line has come to,
 * such as `token add`.
 */
export function renderPosixParts(nodes: readonly CommandNode[]): string {
  const next = nodes.flatMap(({ place, words }) =>
    words.flatMap(({ name, place: to }) => (to === null ? [] : [`    '${place}|${name}') place='${to}' ;;`])),
  );
  const values = nodes.flatMap(({ place, options }) =>
    options.flatMap(({ flags, value }) =>
      value === null ? [] : [`    ${toPattern(place, flags)}) ${toValue(value)} ;;`],
    ),
  );
  return `# Sets place to where the word leads.
_fleet_next() {
  case "$place|$1" in
${next.join('\n')}
  esac
}

# Whether the option takes a value; sets what completes it.
_fleet_value() {
  choices='' files=''
  case "$place|$1" in
${values.join('\n')}
    *) return 1 ;;
  esac
}`;
}

/** In single quotes, as a shell takes it for one word. */
export function quoteWord(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

function toPattern(place: string, flags: readonly string[]): string {
  return flags.map((flag) => `'${place}|${flag}'`).join(' | ');
}

function toValue({ kind, choices }: NonNullable<OptionNode['value']>): string {
  if (kind === 'choices') return `choices=${quoteWord(choices.join(' '))}`;
  return kind === 'files' ? 'files=1' : ':';
}
