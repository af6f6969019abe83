import { existsSync, readdirSync, statSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';
import { changelog, pageOf, pages, root } from '../../support/docs.ts';

const MAX_IMAGE_BYTES = 200_000;
/**
 * Most lines of a page: README and CONTRIBUTING may be longer, the changelog grows, the architecture describes three lives, and
 * one page lists every key.
 */
const MAX_LINES: Record<string, number> = {
  'README.md': 150,
  'CONTRIBUTING.md': 150,
  'CHANGELOG.md': 180,
  'ARCHITECTURE.md': 250,
  'docs/redis-keys.md': 150,
};
const MAX_PAGE_LINES = 120;

const ROOMS = /^(queues|simulator|src|workers|dashboards|examples|bench|scripts|test|docs)\//;

/** What the links of a text lead to: a path relative to the repository, and the heading behind `#`. */
function linksOf({ path, text }: { path: string; text: string }): { target: string; heading: string }[] {
  return [...text.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, link = '']) => link)
    .filter((link) => !link.startsWith('https://'))
    .map((link) => {
      const [to = '', heading = ''] = link.split('#');
      return { target: to === '' ? path : normalize(join(dirname(path), to)), heading };
    });
}

/** The names that headings have as the target of a link. */
function anchorsOf(text: string): string[] {
  return [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{Letter}\p{Number} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

const leadTo = (page: { path: string; text: string }): string[] => linksOf(page).map(({ target }) => target);

describe.each([...pages, changelog].map((page) => [page.path, page] as const))('%s', (path, page) => {
  it('is short enough to be read', () => {
    expect(page.text.split('\n').length).toBeLessThanOrEqual(MAX_LINES[path] ?? MAX_PAGE_LINES);
  });

  it('has no dead link', () => {
    expect(leadTo(page).filter((target) => !existsSync(join(root, target)))).toEqual([]);
  });

  it('links to headings that there are', () => {
    const dead = linksOf(page).filter(({ target, heading }) => {
      const other = pages.find((each) => each.path === target);
      return heading !== '' && !(other !== undefined && anchorsOf(other.text).includes(heading));
    });
    expect(dead).toEqual([]);
  });

  it('names only files and folders that there are', () => {
    const isPath = (span: string): boolean => /^[\w.-]+(\/[\w.-]+)*\/?$/.test(span) && ROOMS.test(span);
    expect(page.spans.filter((span) => isPath(span) && !existsSync(join(root, span)))).toEqual([]);
  });
});

it('pictures are in docs/images, and small', () => {
  const images = pages.flatMap(leadTo).filter((target) => target.endsWith('.png'));
  expect(images.length).toBeGreaterThan(0);
  expect(images.map((image) => dirname(image))).toEqual(images.map(() => 'docs/images'));
  expect(images.filter((image) => statSync(join(root, image)).size > MAX_IMAGE_BYTES)).toEqual([]);
});

it('every page is found from the README, and leads back to it', () => {
  const decisions = pages.filter(({ path }) => path.startsWith('docs/decisions/'));
  const others = pages.filter((page) => page.path !== 'README.md' && !decisions.includes(page));
  const fromReadme = leadTo(pageOf('README.md'));
  expect(others.map(({ path }) => path).filter((path) => !fromReadme.includes(path))).toEqual([]);
  const fromArchitecture = leadTo(pageOf('ARCHITECTURE.md'));
  expect(decisions.map(({ path }) => path).filter((path) => !fromArchitecture.includes(path))).toEqual([]);
  expect(others.filter((page) => !leadTo(page).includes('README.md'))).toEqual([]);
  expect(decisions.filter((page) => !leadTo(page).includes('ARCHITECTURE.md'))).toEqual([]);
});

it('docs/scripting.md links every example', () => {
  const examples = readdirSync(join(root, 'examples')).map((name) => `examples/${name}`);
  const linked = leadTo(pageOf('docs/scripting.md'));
  expect(examples.filter((example) => !linked.includes(example))).toEqual([]);
});
