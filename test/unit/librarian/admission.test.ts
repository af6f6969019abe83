import { describe, expect, test } from 'vitest';
import { decideAdmission } from '../../../src/librarian/gate/admission.ts';
import type { ProjectView } from '../../../src/librarian/gate/types.ts';
import { toProjects } from '../../../src/librarian/gate/shard-project.ts';
import { testShards } from '../../support/fleet/gate.ts';

const MAX_WAIT_MS = 120_000;
const [a, b, c] = toProjects(testShards(3));
if (!a || !b || !c) throw new Error('three projects');

const view = (project: typeof a, reason: ProjectView['reason'], delayMs = 0, tpm = 250_000): ProjectView => {
  return { project, reason, delayMs, rpm: 15, tpm, repaired: false };
};
const decide = (views: ProjectView[], turn = 0) => decideAdmission({ turn, views }, MAX_WAIT_MS);

describe('the admission of a query', () => {
  test('sends it first to the project whose turn it is, if that has room', () => {
    const views = [view(a, ''), view(b, ''), view(c, 'minute', 5_000)];
    expect(decide(views, 1)).toEqual({ kind: 'queue', projects: [a, b, c], first: b });
    expect(decide(views, 2)).toEqual({ kind: 'queue', projects: [a, b, c], first: a });
  });

  test('lets it wait everywhere where none has room now', () => {
    expect(decide([view(a, 'minute', 900), view(b, 'cooling', 50_000)])).toEqual({
      kind: 'queue',
      projects: [a, b],
      first: null,
    });
  });

  test('does not let it wait for a key that is closed', () => {
    expect(decide([view(a, 'refused', 600_000), view(b, 'minute', 900)])).toMatchObject({ projects: [b], first: null });
    expect(decide([view(a, 'failing', 5_000)])).toMatchObject({ answer: { kind: 'wait', reason: 'failing' } });
  });

  test('sends it away when every project has room only after the longest wait', () => {
    const views = [view(a, 'day', 9_000_000), view(b, 'pace', MAX_WAIT_MS + 1)];
    expect(decide(views)).toMatchObject({ kind: 'answer', answer: { kind: 'wait', reason: 'pace' } });
  });

  test('answers with the largest prompt that fits anywhere when it fits nowhere', () => {
    const views = [view(a, 'too-large', 0, 1_000), view(b, 'too-large', 0, 5_000)];
    expect(decide(views)).toEqual({ kind: 'answer', answer: { kind: 'too-large', limitTokens: 5_000 } });
    expect(decide([...views, view(c, 'minute', 10)])).toMatchObject({ projects: [c], first: null });
  });
});
