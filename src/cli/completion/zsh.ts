import type { CommandNode } from './command-tree.ts';
import { quoteWord, renderPosixParts } from './posix-parts.ts';

/** The script for `source <(fleet completion zsh)`, or for a file `_fleet` in a folder of `$fpath`. */
export function renderZshCompletion(nodes: readonly CommandNode[]): string {
  const candidates = nodes.map(({ place, words, options, takesFiles }) => {
    const names = words.map(({ name, description }) => toItem(name, description));
    const flags = options.flatMap((option) => option.flags.map((flag) => toItem(flag, option.description)));
    return `    '${place}') items=(${names.join(' ')}) options=(${flags.join(' ')})${takesFiles ? ' files=1' : ''} ;;`;
  });
  return `#compdef fleet
# Completion of the fleet command in zsh: source <(fleet completion zsh), after compinit
${renderPosixParts(nodes)}

_fleet() {
  local place='' choices='' files='' before='' i
  local -a items options
  for ((i = 2; i < CURRENT; i++)); do
    if _fleet_value "\${words[i]}"; then
      before="\${words[i]}"
      i=$((i + 1))
      ((i < CURRENT)) && before=''
    else
      _fleet_next "\${words[i]}"
    fi
  done
  if [[ -n "$before" ]]; then
    _fleet_value "$before"
    [[ -n "$choices" ]] && compadd -- \${=choices}
    [[ -n "$files" ]] && _files
    return
  fi
  files=''
  case "$place" in
${candidates.join('\n')}
  esac
  if [[ "\${words[CURRENT]}" == -* ]]; then
    _describe -o option options
  else
    ((\${#items})) && _describe command items
    [[ -n "$files" ]] && _files
  fi
}

if [[ "\${funcstack[1]}" == _fleet ]]; then _fleet "$@"; else compdef _fleet fleet; fi
`;
}

/** \`name:description\`; a colon of the name would end it. */
function toItem(name: string, description: string): string {
  const escaped = name.replaceAll(':', String.raw`\:`);
  return quoteWord(description === '' ? escaped : `${escaped}:${description}`);
}
