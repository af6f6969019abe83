import { askGit, type Git } from '../../../git/git.ts';
import type { Identity } from '../person/person-settings.ts';

export interface NewCommit {
  tree: string;
  parent: string;
  message: string;
  author: Identity;
  /** ISO 8601. Undefined: now. */
  authoredAt?: string;
  committer: Identity;
}

/** Writes a commit object. No ref changes. @returns its id. @throws GitError */
export async function makeCommit(git: Git, commit: NewCommit): Promise<string> {
  const { tree, parent, message, author, authoredAt, committer } = commit;
  return await askGit(git, ['commit-tree', tree, '-p', parent, '-F', '-'], {
    input: message,
    env: {
      ...toCommitterVariables(committer),
      GIT_AUTHOR_NAME: author.name,
      GIT_AUTHOR_EMAIL: author.email,
      ...(authoredAt === undefined ? {} : { GIT_AUTHOR_DATE: authoredAt }),
    },
  });
}

/** Also for the reflog. */
export function toCommitterVariables({ name, email }: Identity): Record<string, string> {
  return { GIT_COMMITTER_NAME: name, GIT_COMMITTER_EMAIL: email };
}

/** Reads `Name <address>`. A text of another form is the name. */
export function parseIdentity(text: string): Identity {
  const match = /^(.*?)\s*<([^<>]*)>\s*$/s.exec(text);
  const name = (match?.[1] ?? text).replaceAll(/[<>\n]/g, '').trim();
  return { name: name === '' ? 'haiku-fleet' : name, email: match?.[2] ?? '' };
}
