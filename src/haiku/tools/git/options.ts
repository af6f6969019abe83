/**
 * The options that the git tool allows, by command. It refuses all others, also those of later versions of git. An option
 * with `=` needs a value, attached or as the next argument; one with `?` may have a value attached.
 */
const SHOW_CHANGES =
  '-p --patch --stat? --numstat --shortstat --name-only --name-status --summary --raw -U= --unified= -w -b ' +
  '--ignore-all-space --ignore-space-change --ignore-blank-lines --word-diff? --minimal --patience --histogram ' +
  '--diff-algorithm= -M --find-renames? --no-renames -R --diff-filter= -W --function-context -S= -G= --pickaxe-all --no-color';
const SHOW_COMMITS =
  '--oneline --format= --pretty? --date= --abbrev-commit --decorate? --no-patch -s -m -c --cc --first-parent';

export const GIT_OPTIONS = {
  status: '-s --short -b --branch --porcelain? -u --untracked-files? --ignored? --long --no-color --ahead-behind',
  diff: `${SHOW_CHANGES} --cached --staged --merge-base --check --exit-code`,
  log:
    `${SHOW_CHANGES} ${SHOW_COMMITS} -n= --max-count= --skip= --since= --until= --after= --before= --author= --committer= ` +
    '--grep= -i -E -F --all-match --invert-grep --graph --all --branches? --tags? --reverse --follow --merges --no-merges -g ' +
    '--topo-order --date-order --left-right --cherry-pick --full-history',
  show: `${SHOW_CHANGES} ${SHOW_COMMITS}`,
  add: '-A --all -u --update -v --verbose',
  commit: '-m= --message= -a --all --amend --allow-empty -q --quiet --dry-run --no-verify',
  branch:
    '-a --all -r --remotes -v -l --list --show-current --contains= --no-contains= --merged? --no-merged? --sort= --format= ' +
    '-d --delete -D -m --move --points-at= --no-color',
} as const satisfies Record<string, string>;

export type GitCommand = keyof typeof GIT_OPTIONS;

export function isGitCommand(name: string): name is GitCommand {
  return Object.hasOwn(GIT_OPTIONS, name);
}

/** Whether the option is allowed in exactly this form (`--since=`, `--stat?`, `--oneline`). */
export function isGitOption(command: GitCommand, option: string): boolean {
  return GIT_OPTIONS[command].split(' ').includes(option);
}
