import { readFileSync } from 'node:fs';
import { encodeHtml } from './access/encode-html.ts';

/** A page that a script in `pages/assets` fills. */
interface ScriptPage {
  title: string;
  /** Script in `pages/assets`. */
  script: string;
  /** Style sheets in `pages/assets` beside `theme.css`. Default: none. */
  styles?: readonly string[];
  /** The address in the navigation that the page belongs to. Default: none of them. */
  section?: keyof typeof NAVIGATION;
  /** The command line that shows the same. */
  command: string;
}

/** The links at the top of every page. */
const NAVIGATION = {
  '/': 'Overview',
  '/tasks': 'Tasks',
  '/batches': 'Batches',
  '/queues': 'Raw queues',
  '/workers': 'Workers',
  '/costs': 'Costs',
  '/archive': 'Archive',
  '/findings': 'Findings',
  '/rules': 'Rules',
  '/audit': 'Audit',
} as const;

/** The pages by their paths. */
const FINDING_PAGE: ScriptPage = {
  title: 'Finding',
  script: 'finding.js',
  styles: ['patch.css'],
  section: '/findings',
  command: 'fleet findings ID',
};

const SCRIPT_PAGES: Readonly<Record<string, ScriptPage>> = {
  '/': {
    title: 'Overview',
    script: 'status.js',
    styles: ['patch.css', 'status/overview.css', 'lib/uplot.css', 'charts/charts.css'],
    section: '/',
    command: 'fleet status',
  },
  '/tasks': {
    title: 'Tasks',
    script: 'tasks.js',
    styles: ['patch.css', 'tasks/tasks.css'],
    section: '/tasks',
    command: 'fleet jobs',
  },
  '/tasks/:id': {
    title: 'Task',
    script: 'task.js',
    styles: ['patch.css', 'tasks/tasks.css', 'tasks/task.css'],
    section: '/tasks',
    command: 'fleet job ID',
  },
  '/findings': { title: 'Findings', script: 'findings.js', section: '/findings', command: 'fleet findings' },
  '/findings/:id': FINDING_PAGE,
  '/findings/:swarm/:id': FINDING_PAGE,
  '/patches/:id': { title: 'Patch', script: 'patch.js', styles: ['patch.css'], command: 'fleet diff ID' },
  '/missions/:id': {
    title: 'Mission',
    script: 'mission.js',
    styles: ['patch.css', 'archive/archive.css', 'mission/mission.css'],
    command: 'fleet mission ID',
  },
  '/costs': {
    title: 'Costs',
    script: 'costs.js',
    styles: ['patch.css', 'tasks/tasks.css', 'costs/costs.css'],
    section: '/costs',
    command: 'fleet costs',
  },
  '/archive': {
    title: 'Archive',
    script: 'archive.js',
    styles: ['patch.css', 'tasks/tasks.css', 'archive/archive.css'],
    section: '/archive',
    command: 'fleet ask',
  },
  '/batches': {
    title: 'Batches',
    script: 'batches.js',
    styles: ['patch.css', 'tasks/tasks.css', 'batches/batches.css'],
    section: '/batches',
    command: 'fleet batches',
  },
  '/batches/:id': {
    title: 'Batch',
    script: 'batch.js',
    styles: ['patch.css', 'batches/batches.css'],
    section: '/batches',
    command: 'fleet batches',
  },
  '/workers': {
    title: 'Workers',
    script: 'workers.js',
    styles: ['patch.css', 'tasks/tasks.css', 'workers/workers.css'],
    section: '/workers',
    command: 'fleet status',
  },
  '/rules': {
    title: 'Rules',
    script: 'rules.js',
    styles: ['patch.css', 'rules/rules.css'],
    section: '/rules',
    command: 'fleet when ls',
  },
  '/audit': {
    title: 'Audit',
    script: 'audit.js',
    styles: ['patch.css', 'tasks/tasks.css', 'audit/audit.css'],
    section: '/audit',
    command: 'fleet audit',
  },
};

/** Renders the pages that scripts fill: path → HTML. @param prefix of the proxy: all links of a page begin with it */
export function renderPages(prefix: string): Map<string, string> {
  const template = readPage('page.html', prefix);
  return new Map(Object.entries(SCRIPT_PAGES).map(([path, page]) => [path, fill(template, page, prefix)]));
}

/** Renders the page of an address that nothing is under. */
export function renderMissing(prefix: string): string {
  return readPage('missing.html', prefix).replace('{{head}}', () => renderHead(prefix));
}

/** Renders the header that all pages have. @param section the address in the navigation that the page belongs to */
export function renderHead(prefix: string, section?: keyof typeof NAVIGATION): string {
  const base = encodeHtml(prefix);
  const links = Object.entries(NAVIGATION).map(
    ([path, name]) => `<a href="${base}${path}"${path === section ? ' aria-current="page"' : ''}>${name}</a>`,
  );
  return readPage('head.html', prefix).replace('{{nav}}', () => links.join('\n    '));
}

/** What the head of every page begins with. */
const COMMON = `<meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <meta name="color-scheme" content="light dark" />
    <link rel="icon" href="{{base}}/assets/icon.svg" type="image/svg+xml" />
    <link rel="stylesheet" href="{{base}}/assets/theme.css" />`;

/** @param prefix of the proxy: all links of a page begin with it */
export function readPage(name: string, prefix: string): string {
  const page = readFileSync(new URL(`pages/${name}`, import.meta.url), 'utf8');
  return page.replace('{{common}}', COMMON).replaceAll('{{base}}', encodeHtml(prefix));
}

function fill(template: string, { title, script, styles = [], section, command }: ScriptPage, prefix: string): string {
  const parts: Record<string, string> = {
    title,
    script,
    command,
    head: renderHead(prefix, section),
    styles: styles
      .map((sheet) => `<link rel="stylesheet" href="${encodeHtml(prefix)}/assets/${sheet}" />`)
      .join('\n    '),
  };
  return template.replace(/\{\{(\w+)\}\}/g, (_mark, name: string) => parts[name] ?? '');
}
