import type { CommandNode, OptionNode } from './command-tree.ts';

/** The script for `fleet completion fish | source`, or for the file `fleet.fish` in fish's folder of completions. */
export function renderFishCompletion(nodes: readonly CommandNode[]): string {
  const next = nodes.flatMap(({ place, words }) =>
    words.flatMap(({ name, place: to }) =>
      to === null ? [] : [`            case ${quote(`${place}|${name}`)}`, `                set place ${quote(to)}`],
    ),
  );
  const valued = nodes.flatMap(({ place, options }) =>
    options.flatMap(({ flags, value }) => (value === null ? [] : flags.map((flag) => quote(`${place}|${flag}`)))),
  );
  return `# Completion of the fleet command in fish: fleet completion fish | source
function __fleet_place
    set -l place ''
    set -l skips 0
    for word in (commandline -opc)[2..-1]
        if test $skips = 1
            set skips 0
            continue
        end
        switch "$place|$word"
${next.join('\n')}
            case ${valued.join(' ')}
                set skips 1
        end
    end
    echo "$place"
end

function __fleet_at
    set -l place (__fleet_place)
    test "$place" = "$argv[1]"
end

complete -c fleet -f
${nodes.flatMap(renderNode).join('\n')}
`;
}

function renderNode({ place, words, options, takesFiles }: CommandNode): string[] {
  const at = `complete -c fleet -n ${quote(`__fleet_at ${quote(place)}`)}`;
  return [
    ...words.map(({ name, description }) => `${at} -a ${quote(name)}${describe(description)}`),
    ...options.map((option) => `${at}${renderOption(option)}${describe(option.description)}`),
    ...(takesFiles ? [`${at} -F`] : []),
  ];
}

function renderOption({ flags, value }: OptionNode): string {
  const names = flags.map((flag) => (flag.startsWith('--') ? ` -l ${flag.slice(2)}` : ` -s ${flag.slice(1)}`)).join('');
  if (value === null) return names;
  if (value.kind === 'choices') return `${names} -x -a ${quote(value.choices.join(' '))}`;
  return value.kind === 'files' ? `${names} -r -F` : `${names} -x`;
}

function describe(description: string): string {
  return description === '' ? '' : ` -d ${quote(description)}`;
}

function quote(text: string): string {
  return `'${text.replaceAll('\\', String.raw`\\`).replaceAll("'", String.raw`\'`)}'`;
}
