import { existsSync } from 'node:fs';
import { chromium, type Browser } from 'playwright-core';

const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/snap/bin/chromium'];

/** The machine's chromium; null, with the line that installs it printed, where there is none. */
export function findChromium(): string | null {
  const found = [process.env['CHROMIUM'], ...PLACES].find((path) => path !== undefined && existsSync(path));
  if (found !== undefined) return found;
  console.warn('browser tests are skipped: chromium is missing. Install it with: apt-get install -y chromium');
  return null;
}

/** @param names hosts that mean this machine */
export function openBrowser(executablePath: string, names: readonly string[] = []): Promise<Browser> {
  const quiet = ['--disable-background-networking', '--disable-component-update', '--disable-sync', '--no-first-run'];
  return chromium.launch({
    executablePath,
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      ...quiet,
      ...(names.length === 0
        ? []
        : [`--host-resolver-rules=${names.map((name) => `MAP ${name} 127.0.0.1`).join(',')}`]),
    ],
  });
}
