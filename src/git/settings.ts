/**
 * Settings that prevent configuration from starting programs or using the network. They come last and overrule every file;
 * yet the fleet lets git read no configuration of a repository (see `git-dir.ts`): includes can add what no list foresees.
 */
const NEUTRAL: Record<string, string> = {
  'core.hooksPath': '/dev/null',
  'core.fsmonitor': 'false',
  'core.untrackedCache': 'false',
  'core.pager': 'cat',
  'core.editor': 'false',
  'core.sshCommand': 'false',
  'core.askPass': 'false',
  'core.alternateRefsCommand': 'false',
  'core.attributesFile': '/dev/null',
  'core.excludesFile': '/dev/null',
  'core.quotePath': 'false',
  'color.ui': 'false',
  'commit.gpgSign': 'false',
  'tag.gpgSign': 'false',
  'log.showSignature': 'false',
  'gpg.program': 'false',
  'gpg.openpgp.program': 'false',
  'gpg.x509.program': 'false',
  'gpg.ssh.program': 'false',
  'gpg.ssh.defaultKeyCommand': 'false',
  'credential.helper': '',
  'protocol.allow': 'never',
  'gc.auto': '0',
  'maintenance.auto': 'false',
  'submodule.recurse': 'false',
  'diff.ignoreSubmodules': 'all',
  'diff.submodule': 'short',
  'advice.detachedHead': 'false',
  'safe.directory': '*', // git's check of the owner protects against settings that run programs; these are off for every owner
  'safe.bareRepository': 'explicit',
};

/** Environment of a git process: no configuration of the host's, no question, no editor, no network, no replaced object. */
export function toEnvironment(searchPath: string): Record<string, string> {
  const pairs = Object.entries(NEUTRAL);
  return {
    PATH: searchPath,
    HOME: '/dev/null',
    LANG: 'C.UTF-8',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_ATTR_NOSYSTEM: '1',
    GIT_ALLOW_PROTOCOL: 'none',
    GIT_NO_LAZY_FETCH: '1',
    GIT_NO_REPLACE_OBJECTS: '1',
    GIT_TERMINAL_PROMPT: '0',
    GIT_EDITOR: 'false',
    GIT_PAGER: 'cat',
    GIT_CONFIG_COUNT: String(pairs.length),
    ...Object.fromEntries(
      pairs.flatMap(([key, value], index) => [
        [`GIT_CONFIG_KEY_${index}`, key],
        [`GIT_CONFIG_VALUE_${index}`, value],
      ]),
    ),
  };
}

/** Variables that make git write no lock file and refresh no index: for commands that only read. */
export const READ_ONLY = { GIT_OPTIONAL_LOCKS: '0' } as const;
