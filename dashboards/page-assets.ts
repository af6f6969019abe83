import { fileURLToPath } from 'node:url';
import express, { Router } from 'express';

const ASSETS = fileURLToPath(new URL('pages/assets', import.meta.url));

/** What the pages import beside their own files, by its name under `lib/`: one file of an installed package each. */
const LIBRARIES = {
  'preact.mjs': import.meta.resolve('preact'),
  'htm.mjs': import.meta.resolve('htm'),
};

/** Scripts, styles and the icon of the pages, as they are in the package: nothing is bundled or compiled. */
export function createPageAssets(): Router {
  const assets = Router();
  for (const [name, url] of Object.entries(LIBRARIES)) {
    // A package may be installed below a folder whose name begins with a dot.
    assets.get(`/lib/${name}`, (_request, response) => response.sendFile(fileURLToPath(url), { dotfiles: 'allow' }));
  }
  assets.use(express.static(ASSETS, { index: false, maxAge: 0 }));
  return assets;
}
