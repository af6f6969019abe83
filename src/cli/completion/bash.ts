import type { CommandNode } from './command-tree.ts';
import { quoteWord, renderPosixParts } from './posix-parts.ts';

/** The script for `source <(fleet completion bash)`. It starts no process: a Tab costs nothing. */
export function renderBashCompletion(nodes: readonly CommandNode[]): string {
  const candidates = nodes.map(({ place, words, options, takesFiles }) => {
    const names = quoteWord(words.map(({ name }) => name).join(' '));
    const flags = quoteWord(options.flatMap((option) => option.flags).join(' '));
    return `    '${place}') words=${names} options=${flags}${takesFiles ? ' files=1' : ''} ;;`;
  });
  return `# Completion of the fleet command in bash: source <(fleet completion bash)
${renderPosixParts(nodes)}

_fleet() {
  local cur="\${COMP_WORDS[COMP_CWORD]}" place='' choices files words='' options='' i before=''
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    if _fleet_value "\${COMP_WORDS[i]}"; then
      before="\${COMP_WORDS[i]}"
      i=$((i + 1))
      [ "$i" -lt "$COMP_CWORD" ] && before=''
    else
      _fleet_next "\${COMP_WORDS[i]}"
    fi
  done
  if [ -n "$before" ]; then
    _fleet_value "$before"
    words="$choices"
  else
    files=''
    case "$place" in
${candidates.map((line) => `  ${line}`).join('\n')}
    esac
    case "$cur" in -*) words="$options" files='' ;; esac
  fi
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
  if [ -n "$files" ]; then
    compopt -o filenames 2>/dev/null
    local file
    while IFS= read -r file; do COMPREPLY+=("$file"); done < <(compgen -f -- "$cur")
  fi
}

complete -F _fleet fleet
`;
}
