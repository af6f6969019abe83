import axe from 'axe-core';
import type { Browser, Page } from 'playwright-core';

/** A page that notes what goes wrong in it. */
export interface WatchedPage {
  page: Page;
  /** Errors of scripts and of the console, what the policy of the page refused among them. */
  problems: string[];
  /** What of a hostile text has run. */
  ran: string[];
  /** Of what is wrong for people who see, hear or type otherwise: axe's serious and critical findings, by all of its rules or these. */
  findBarriers(within: string, rules?: readonly string[]): Promise<string[]>;
}

/** Opens a page of its own context. The caller closes the browser. */
export async function openWatchedPage(browser: Browser): Promise<WatchedPage> {
  const page = await browser.newPage();
  const problems: string[] = [];
  const ran: string[] = [];
  let isLooking = false;
  page.on('pageerror', (error) => problems.push(`${page.url()}: ${error.message}`));
  page.on('console', (line) => {
    const isOfAxe = isLooking && line.text().startsWith('Applying inline style'); // it measures with styles of its own
    if (line.type() === 'error' && !isOfAxe) problems.push(`${page.url()}: ${line.text()}`);
  });
  page.on('dialog', (dialog) => {
    ran.push(dialog.message());
    void dialog.dismiss();
  });
  await page.exposeFunction('__xss', (what: unknown) => void ran.push(String(what)));
  return {
    page,
    problems,
    ran,
    async findBarriers(within, rules) {
      isLooking = true;
      const found = await runAxe(page, within, rules);
      isLooking = false;
      return found;
    },
  };
}

async function runAxe(page: Page, within: string, rules?: readonly string[]): Promise<string[]> {
  const options = {
    resultTypes: ['violations'],
    iframes: false,
    ...(rules === undefined ? {} : { runOnly: { type: 'rule', values: rules } }),
  };
  // By the debugger: the policy of the page lets no other script in.
  if ((await page.evaluate<string>('typeof axe')) === 'undefined') await page.evaluate(axe.source);
  const { violations } = await page.evaluate<{ violations: axe.Result[] }>(
    `axe.run(${JSON.stringify(within)}, ${JSON.stringify(options)})`,
  );
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) =>
      nodes.map(({ target, failureSummary = '' }) => `${id}: ${target.join(' ')} ${failureSummary}`),
    );
}

/** Waits until a page of the fleet has its header and its content. */
export async function untilFilled(page: Page): Promise<void> {
  await page.locator('#clock').waitFor();
  await page.locator('main > *').first().waitFor();
  await page.getByText('Reading…').waitFor({ state: 'detached' });
}

/** Of a hostile text nothing may be an element, an attribute that runs, or an address. */
const MADE = `[data-xss], [onerror], [onload], [onfocus], [onmouseover], iframe, object, embed, [href^='javascript' i], [href^='data:text' i]`;

/** What became of hostile texts in the page. Empty: they are text. */
export function findMade(page: Page): Promise<string[]> {
  return page.evaluate<string[]>(`[
    ...[...document.querySelectorAll(${JSON.stringify(MADE)})].map((element) => element.outerHTML.slice(0, 200)),
    ...({}.polluted === undefined ? [] : ['every object is polluted']),
  ]`);
}

/** What of the page is beside the screen: the innermost elements. A box that scrolls by itself is none, nor what it holds. */
export function findBeside(page: Page): Promise<string[]> {
  return page.evaluate<string[]>(`(() => {
    if (document.documentElement.scrollWidth <= innerWidth) return [];
    const isBeside = (element) => {
      const { left, right } = element.getBoundingClientRect();
      const isOpen = getComputedStyle(element).overflowX === 'visible';
      return Math.max(right, isOpen ? left + element.scrollWidth : 0) > innerWidth;
    };
    const beside = [...document.querySelectorAll('body *')].filter(
      (element) => !element.closest('.scroll > *, pre > *, .code > *') && isBeside(element),
    );
    const inner = beside.filter((element) => ![...element.children].some((child) => beside.includes(child)));
    return ['wider than the screen', ...inner.slice(0, 5).map((element) => element.outerHTML.slice(0, 150))];
  })()`);
}
